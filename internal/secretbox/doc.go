// Package secretbox seals the secrets a database has to hold (vendors' tokens,
// webhook signing secrets), so that a copy of the database alone opens none.
//
//	keys, err := secretbox.OpenKeys("data", logger) // ANSWERDESK_MASTER_KEY, or data/master.key
//	if err != nil {
//		return err
//	}
//	box := secretbox.New(keys)
//	at := secretbox.Place{Company: company, Table: "endpoint_secret", Row: id, Column: "secret"}
//	sealed, err := box.Seal(ctx, at, secret)
//	secret, err := box.Open(ctx, at, sealed)
//
// A sealed secret opens at the [Place] it was sealed for and nowhere else: one
// copied to another row or company is refused, like one with a bit changed.
//
// Each secret has a key of its own, and only that key is sealed with a master
// key. Changing the master key therefore leaves the secrets as they are:
// [Box.Rewrap] seals their keys again, and [KeyOf] finds those still to do.
// Where master keys live is a [Keyring]; [Keys] holds them in memory.
//
// What is only ever compared, an API key for one, is hashed and not sealed.
package secretbox
