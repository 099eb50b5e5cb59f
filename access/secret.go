package access

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"math/big"
	"strings"
)

// SecretPrefix is what every key's secret begins with. The whole of one matches
// adk_[0-9A-Za-z]{49}, for those who scan their files for what should not be
// there: after the prefix come 256 random bits as a number of 43 digits in base
// 62, most significant first, then the CRC-32 (IEEE) of all that as one of 6
// digits. The digits are 0-9, a-z, A-Z, in this order of value.
const SecretPrefix = "adk_"

// How many digits in base 62 hold what a secret is made of.
const (
	randomBytes    = 32
	randomDigits   = 43 // 62^43 > 2^256
	checksumDigits = 6  // 62^6 > 2^32
	secretLength   = len(SecretPrefix) + randomDigits + checksumDigits
)

// hintLength is how many characters of a secret's end may be shown. They are of
// the checksum: no more than 24 of the 256 bits can be inferred from them.
const hintLength = 4

func newSecret() string {
	var b [randomBytes]byte
	_, _ = rand.Read(b[:]) // never fails: it says so
	s := SecretPrefix + digits(new(big.Int).SetBytes(b[:]), randomDigits)
	return s + checksum(s)
}

// checksum returns the last characters of a secret that begins with s.
func checksum(s string) string {
	return digits(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(s)))), checksumDigits)
}

// digits writes a number with at least n digits.
func digits(v *big.Int, n int) string {
	s := v.Text(62)
	return strings.Repeat("0", max(0, n-len(s))) + s
}

// wellFormed reports whether a text can be a secret, which a typo, a word too
// many or a missing end makes all but impossible. It looks at nothing stored.
func wellFormed(secret string) bool {
	if len(secret) != secretLength || !strings.HasPrefix(secret, SecretPrefix) {
		return false
	}
	body := secretLength - checksumDigits
	return checksum(secret[:body]) == secret[body:]
}

// hashOf is how a secret is stored. A secret is as random as a hash is long, so
// there is nothing that a slow hash or a salt would protect.
func hashOf(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

func hint(secret string) string { return secret[len(secret)-hintLength:] }
