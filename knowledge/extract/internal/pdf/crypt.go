package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5" // as the format has it
	"crypto/rc4" // as the format has it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
)

// crypt reads what is encrypted with an empty password, as files are that
// anybody may read and nobody may change.
type crypt struct {
	key     []byte
	aes     bool
	whole   bool // the key is that of every object
	strings bool
}

var padding = []byte("\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A")

// initCrypt finds the key (ISO 32000-2, 7.6).
func (f *File) initCrypt() {
	e := f.dict(f.trailer["Encrypt"])
	clear(f.cache)
	str := func(key name) []byte {
		s, _ := f.resolve(e[key]).(string)
		return []byte(s)
	}
	v, r := f.int(e["V"]), f.int(e["R"])
	if f.name(e["Filter"]) != "Standard" || v < 1 || v > 5 || v == 3 || r < 2 || r > 6 {
		panic(failure{fmt.Errorf("%w: it is encrypted in a way of its own", ErrPassword)})
	}
	c := &crypt{strings: true}
	length := f.int(e["Length"]) / 8
	if v == 1 || length < 5 || length > 16 {
		length = 5
	}
	if v >= 4 {
		cf := f.dict(f.dict(e["CF"])[f.name(e["StmF"])])
		switch f.name(cf["CFM"]) {
		case "AESV2":
			c.aes, length = true, 16
		case "V2":
			length = 16
		case "AESV3":
			c.aes, c.whole = true, true
		default: // Identity: streams are not encrypted
			return
		}
	}
	o, u := str("O"), str("U")
	if r >= 5 {
		c.key = keyOf256(u, str("UE"), r)
	} else {
		c.key = keyOf128(o, u, uint32(f.int(e["P"])), f.firstID(), length, r, f.resolve(e["EncryptMetadata"]) == false)
	}
	if c.key == nil {
		panic(failure{ErrPassword})
	}
	f.crypt = c
	if encrypt, ok := f.trailer["Encrypt"].(ref); ok {
		delete(f.entries, encrypt.num) // its strings are not encrypted, and are read already
	}
	clear(f.cache)
	clear(f.packed)
}

func (f *File) firstID() []byte {
	id := f.array(f.trailer["ID"])
	if len(id) == 0 {
		return nil
	}
	s, _ := f.resolve(id[0]).(string)
	return []byte(s)
}

// keyOf128 returns the key of revisions 2 to 4, or nil if the password is not empty.
func keyOf128(o, u []byte, p uint32, id []byte, length, r int, plainMetadata bool) []byte {
	if len(o) < 32 || len(u) < 32 {
		return nil
	}
	h := md5.New()
	h.Write(padding)
	h.Write(o[:32])
	h.Write(binary.LittleEndian.AppendUint32(nil, p))
	h.Write(id)
	if r >= 4 && plainMetadata {
		h.Write([]byte{0xff, 0xff, 0xff, 0xff})
	}
	key := h.Sum(nil)[:length]
	if r == 2 {
		want := rc4ed(key, padding)
		if !bytes.Equal(want, u[:32]) {
			return nil
		}
		return key
	}
	for range 50 {
		sum := md5.Sum(key)
		key = append([]byte(nil), sum[:length]...)
	}
	sum := md5.Sum(append(append([]byte(nil), padding...), id...))
	want := rc4ed(key, sum[:])
	for i := 1; i <= 19; i++ {
		k := append([]byte(nil), key...)
		for j := range k {
			k[j] ^= byte(i)
		}
		want = rc4ed(k, want)
	}
	if !bytes.Equal(want, u[:16]) {
		return nil
	}
	return key
}

func rc4ed(key, data []byte) []byte {
	out := make([]byte, len(data))
	if c, err := rc4.NewCipher(key); err == nil {
		c.XORKeyStream(out, data)
	}
	return out
}

// keyOf256 returns the key of revisions 5 and 6, or nil if the password is not empty.
func keyOf256(u, ue []byte, r int) []byte {
	if len(u) < 48 || len(ue) < 32 {
		return nil
	}
	if !bytes.Equal(hash256(u[32:40], r), u[:32]) {
		return nil
	}
	block, err := aes.NewCipher(hash256(u[40:48], r))
	if err != nil {
		return nil
	}
	key := make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, 16)).CryptBlocks(key, ue[:32])
	return key
}

// hash256 is the hash of an empty password with a salt (algorithm 2.B).
func hash256(salt []byte, r int) []byte {
	first := sha256.Sum256(salt)
	k := first[:]
	if r == 5 {
		return k
	}
	for i := 0; ; i++ {
		k1 := bytes.Repeat(k, 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(k1, k1)
		mod := 0
		for _, c := range k1[:16] {
			mod += int(c)
		}
		switch mod % 3 {
		case 0:
			s := sha256.Sum256(k1)
			k = s[:]
		case 1:
			s := sha512.Sum384(k1)
			k = s[:]
		default:
			s := sha512.Sum512(k1)
			k = s[:]
		}
		if i >= 63 && int(k1[len(k1)-1]) <= i-32 {
			return k[:32]
		}
	}
}

// stream decrypts the bytes of an object.
func (c *crypt) stream(data []byte, id ref) []byte {
	key := c.key
	if !c.whole {
		b := append(append([]byte(nil), key...), byte(id.num), byte(id.num>>8), byte(id.num>>16), byte(id.gen), byte(id.gen>>8))
		if c.aes {
			b = append(b, "sAlT"...)
		}
		sum := md5.Sum(b)
		key = sum[:min(len(c.key)+5, 16)]
	}
	if !c.aes {
		return rc4ed(key, data)
	}
	n := len(data) / 16 * 16
	block, err := aes.NewCipher(key)
	if n < 32 || err != nil {
		return nil
	}
	out := make([]byte, n-16)
	cipher.NewCBCDecrypter(block, data[:16]).CryptBlocks(out, data[16:n])
	if pad := int(out[len(out)-1]); pad >= 1 && pad <= 16 {
		out = out[:len(out)-pad]
	}
	return out
}

// decrypted decrypts the strings of a value.
func (f *File) decrypted(v any, id ref) any {
	if f.crypt == nil {
		return v
	}
	switch v := v.(type) {
	case string:
		return string(f.crypt.stream([]byte(v), id))
	case array:
		for i := range v {
			v[i] = f.decrypted(v[i], id)
		}
	case dict:
		for key := range v {
			v[key] = f.decrypted(v[key], id)
		}
	}
	return v
}
