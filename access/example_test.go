package access_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "access")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	st, err := sqlite.Open(ctx, dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer st.Close()
	company, err := access.NewCompanies(st).First(ctx)
	if err != nil {
		log.Fatal(err)
	}

	keys := access.NewKeys(st, company.ID)
	key, secret, err := keys.Create(ctx, access.NewKey{Name: "Web shop", Scope: access.ScopeWrite})
	if err != nil {
		log.Fatal(err)
	}
	caller, err := access.Authenticate(ctx, st, secret)
	fmt.Println(caller.ID == key.ID, caller.Scope.Allows(access.ScopeWrite), caller.Scope.Allows(access.ScopeRead), err)

	next, newSecret, err := keys.Rotate(ctx, key.ID, 24*time.Hour) // both work for a day
	if err != nil {
		log.Fatal(err)
	}
	caller, err = access.Authenticate(ctx, st, newSecret)
	fmt.Println(caller.ID == next.ID, err)

	if err := keys.Revoke(ctx, key.ID); err != nil {
		log.Fatal(err)
	}
	_, err = access.Authenticate(ctx, st, secret)
	fmt.Println(errors.Is(err, access.ErrInvalidKey))
	// Output:
	// true true false <nil>
	// true <nil>
	// true
}
