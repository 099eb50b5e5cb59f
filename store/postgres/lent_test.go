package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// openDesk opens a desk on a schema of its own, beside a table of the host's.
func openDesk(t *testing.T, pool *pgxpool.Pool) *answerdesk.Desk {
	t.Helper()
	desk, err := answerdesk.New(t.Context(), open(t, pool).Store, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := desk.Close(); err != nil {
			t.Error(err)
		}
	})
	exec(t, pool, `CREATE TABLE products (name TEXT PRIMARY KEY)`)
	return desk
}

func exec(t *testing.T, pool *pgxpool.Pool, query string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// begin begins a transaction of the host's and writes a row of the host's in it.
func begin(t *testing.T, pool *pgxpool.Pool, level pgx.TxIsoLevel, product string) pgx.Tx {
	t.Helper()
	tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(t.Context()) }) // in case the test has not come to it
	if _, err := tx.Exec(t.Context(), `INSERT INTO products VALUES ($1)`, product); err != nil {
		t.Fatal(err)
	}
	return tx
}

// found returns how many passages a search finds.
func found(t *testing.T, desk *answerdesk.Desk, query string) int {
	t.Helper()
	r, err := desk.Knowledge().Search(t.Context(), knowledge.Query{Text: query})
	if err != nil {
		t.Fatal(err)
	}
	return len(r.Hits)
}

func products(t *testing.T, pool *pgxpool.Pool) []string {
	return column(t, pool, `SELECT name FROM products ORDER BY name`)
}

// A document is written with a row of the host's, or neither is, and until then
// nobody sees it.
func TestLentTransaction(t *testing.T) {
	pool := newPool(t)
	desk := openDesk(t, pool)
	lamp := knowledge.Document{Title: "Lamp", Text: "The lamp costs 40 euros.", ExternalID: "lamp"}

	tx := begin(t, pool, "", "lamp")
	if _, err := desk.Knowledge().Put(postgres.WithTx(t.Context(), tx), lamp); err != nil {
		t.Fatal(err)
	}
	if n := found(t, desk, "lamp"); n != 0 {
		t.Errorf("%d passages are found before the transaction ends", n)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := found(t, desk, "lamp"); n != 0 || len(products(t, pool)) != 0 {
		t.Errorf("%d passages and the products %v are there after a rollback", n, products(t, pool))
	}

	// The revision that was rolled back is another write's now.
	if _, err := desk.Knowledge().Put(t.Context(), knowledge.Document{Title: "Chair", Text: "The chair costs 90 euros."}); err != nil {
		t.Fatal(err)
	}
	if n := found(t, desk, "chair"); n != 1 {
		t.Errorf("%d passages about the chair are found, want 1", n)
	}

	tx = begin(t, pool, "", "lamp")
	doc, err := desk.Knowledge().Put(postgres.WithTx(t.Context(), tx), lamp)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := found(t, desk, "lamp"); n != 1 || len(products(t, pool)) != 1 {
		t.Errorf("%d passages and the products %v are there after the commit, want one each", n, products(t, pool))
	}

	tx = begin(t, pool, "", "table")
	if _, err := desk.Knowledge().Delete(postgres.WithTx(t.Context(), tx), doc.ID); err != nil {
		t.Fatal(err)
	}
	if n := found(t, desk, "lamp"); n != 1 {
		t.Errorf("%d passages are found before the delete is committed, want 1", n)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := found(t, desk, "lamp"); n != 0 {
		t.Errorf("%d passages are found after the delete is committed", n)
	}
}

// A lent transaction is for one step, goes on if the step fails, and is refused
// where the step's locks would not hold.
func TestLentOnce(t *testing.T) {
	pool := newPool(t)
	desk := openDesk(t, pool)

	tx := begin(t, pool, "", "a")
	ctx := postgres.WithTx(t.Context(), tx)
	if _, err := desk.Knowledge().Delete(ctx, "doc_01jd0000000000000000000000"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delete of nothing = %v, want not found", err)
	}
	if _, err := desk.Knowledge().Put(ctx, knowledge.Document{Text: "Second."}); err == nil || !strings.Contains(err.Error(), "lend it again") {
		t.Errorf("a second step = %v, want it refused", err)
	}
	if _, err := desk.Knowledge().Put(postgres.WithTx(t.Context(), tx), knowledge.Document{Text: "Third."}); err != nil {
		t.Errorf("a step of the transaction lent again = %v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := found(t, desk, "third"); n != 1 || len(products(t, pool)) != 1 {
		t.Errorf("%d passages, products %v, want one each", n, products(t, pool))
	}

	// A turn is more than one step: it is refused, and nothing of it is left but the
	// transaction's to roll back.
	tx = begin(t, pool, "", "b")
	if _, err := desk.Agent("").Ask(postgres.WithTx(t.Context(), tx), agent.Message{Text: "Third?"}); err == nil {
		t.Error("a whole turn ran in a lent transaction")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}

	for _, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		tx := begin(t, pool, level, "c")
		_, err := desk.Knowledge().Put(postgres.WithTx(t.Context(), tx), knowledge.Document{Text: "Fourth."})
		if err == nil || !strings.Contains(err.Error(), "READ COMMITTED") {
			t.Errorf("a step at level %s = %v, want it refused", level, err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A transaction whose step lost a deadlock tells the host so.
func TestLentDeadlock(t *testing.T) {
	pool := newPool(t)
	desk := openDesk(t, pool)
	exec(t, pool, `INSERT INTO products VALUES ('x')`)
	doc, err := desk.Knowledge().Put(t.Context(), knowledge.Document{Text: "First."})
	if err != nil {
		t.Fatal(err)
	}
	one, two := begin(t, pool, "", "one"), begin(t, pool, "", "two")
	if _, err := one.Exec(t.Context(), `UPDATE products SET name = 'y' WHERE name = 'x'`); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Knowledge().Delete(postgres.WithTx(t.Context(), two), doc.ID); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 1)
	go func() {
		_, err := two.Exec(t.Context(), `UPDATE products SET name = 'z' WHERE name = 'x'`)
		waits <- err
	}()
	time.Sleep(50 * time.Millisecond) // which of the two is chosen is not ours to say
	_, mine := desk.Knowledge().Put(postgres.WithTx(t.Context(), one), knowledge.Document{Text: "Second."})
	if mine == nil {
		if err := one.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	} else if err := one.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	theirs := <-waits
	if (mine == nil) == (theirs == nil) {
		t.Fatalf("the step = %v and the host's statement = %v, want one of them to give way", mine, theirs)
	}
	if mine != nil && (postgres.Code(mine) != "40P01" || !errors.Is(mine, store.ErrUnavailable)) {
		t.Errorf("the step that gave way = %v, want 40P01", mine)
	}
}
