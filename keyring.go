package answerdesk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/answerdesk-go/answerdesk/internal/secretbox"
)

// A Keyring seals the secrets that a desk keeps for its companies, such as the
// tokens that their APIs are asked with. [Keys] is one; a service of the operator's
// may be another.
type Keyring = secretbox.Keyring

// Keys returns the master keys that the environment variable ANSWERDESK_MASTER_KEY
// holds, or else the file master.key in the folder dir. They are looked for when the
// first secret is sealed or opened; if there is neither, the file is made then, and
// log is told at level warn: whoever loses it loses every secret. A nil log is
// silence.
func Keys(dir string, log *slog.Logger) Keyring {
	return &keys{open: sync.OnceValues(func() (*secretbox.Keys, error) { return secretbox.OpenKeys(dir, log) })}
}

type keys struct {
	open func() (*secretbox.Keys, error)
}

// Wrap implements [Keyring].
func (k *keys) Wrap(ctx context.Context, data, key []byte) (secretbox.KeyID, []byte, error) {
	ring, err := k.open()
	if err != nil {
		return secretbox.KeyID{}, nil, err
	}
	return ring.Wrap(ctx, data, key)
}

// Unwrap implements [Keyring].
func (k *keys) Unwrap(ctx context.Context, id secretbox.KeyID, data, wrapped []byte) ([]byte, error) {
	ring, err := k.open()
	if err != nil {
		return nil, err
	}
	return ring.Unwrap(ctx, id, data, wrapped)
}

// envKeys returns the master keys of the environment, and nil if it has none.
func envKeys() (Keyring, error) {
	list, ok := os.LookupEnv(secretbox.EnvName)
	if !ok {
		return nil, nil
	}
	if list == "" {
		return nil, errors.New(secretbox.EnvName + " is set but empty: unset it, or set it to a key")
	}
	ring, err := secretbox.ParseKeys(list)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", secretbox.EnvName, err)
	}
	return ring, nil
}
