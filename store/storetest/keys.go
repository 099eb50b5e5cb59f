package storetest

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

var keys = []promise{
	{
		name:  "create",
		text:  "a key reads back as it was given, by its id and by its hash; it is its company's, not replaced and never used",
		check: createKey,
	},
	{
		name:  "create for another company's request",
		text:  "a key is made with the receipt of another company's request, or not at all",
		check: createKeyForRequest,
	},
	{
		name:  "create twice",
		text:  "a key whose id is there already, or whose hash is in any company, is a conflict, and nothing changes",
		check: createKeyTwice,
	},
	{
		name:  "unknown",
		text:  "a key that is not there is not found, and a hash that differs in one bit is another one",
		check: unknownKey,
	},
	{
		name:  "by hash",
		text:  "a hash leads to the one key that has it, whosever it is, also where two companies have keys of one id",
		check: keyByHash,
	},
	{
		name:  "rotate",
		text:  "a rotated key names the one that replaces it, expires as told, and is otherwise as it was; both are found",
		check: rotateKey,
	},
	{
		name:  "rotate twice",
		text:  "a key that was replaced cannot be replaced again: it is a conflict, and nothing changes",
		check: rotateKeyTwice,
	},
	{
		name:  "rotate to a key that is there",
		text:  "a key is not replaced by one whose id or hash is there already: it is a conflict, and nothing changes",
		check: rotateToTaken,
	},
	{
		name:  "concurrent rotations",
		text:  "of several rotations of a key at once one wins, and the others are conflicts that leave nothing",
		check: concurrentRotations,
	},
	{
		name:  "revoke",
		text:  "a revoked key is found by no method any more, and the others stay",
		check: revokeKey,
	},
	{
		name:  "rotate and revoke at once",
		text:  "a key that is rotated and revoked at once is gone, and the new one is there if the rotation came first",
		check: rotateAndRevoke,
	},
	{
		name:  "many rotate and revoke at once",
		text:  "of several rotations and revocations of a key at once one of each wins, or the revocation alone, and nothing of the others is left",
		check: manyRotateAndRevoke,
	},
	{
		name:  "use",
		text:  "the last use of a key moves forward only, and changes nothing else",
		check: useKey,
	},
	{
		name:  "deleted company",
		text:  "the keys of a deleted company are found no more, nor in a company made again under its id; those of others are",
		check: keysOfDeletedCompany,
	},
}

// newKey returns a key to be made, and the hash of what might be its secret.
func newKey() (access.Key, [32]byte) {
	k := access.Key{
		ID: id.New(id.Key), Name: "Web shop", Scope: access.ScopeWrite, Plan: access.PlanPro, Hint: "aB3x",
		CreatedAt: now(), ExpiresAt: now().Add(long),
	}
	return k, sha256.Sum256([]byte(k.ID))
}

// newKey makes a key.
func (k *kit) newKey(t *testing.T) (access.Key, [32]byte) {
	t.Helper()
	key, hash := newKey()
	ok(t, "CreateKey", k.CreateKey(t.Context(), k.commit(), key, hash))
	return key, hash
}

// hasKey fails the test unless every method returns the key as given.
func (k *kit) hasKey(t *testing.T, want access.Key, hash [32]byte) {
	t.Helper()
	byID, err := k.Key(t.Context(), k.company, want.ID)
	ok(t, "Key", err)
	byHash, err := k.KeyByHash(t.Context(), hash)
	ok(t, "KeyByHash", err)
	want.Company = k.company
	same(t, "Key", byID, want)
	same(t, "KeyByHash", byHash, want)
	all := k.allKeys(t)
	i := slices.IndexFunc(all, func(key access.Key) bool { return key.ID == want.ID })
	if i < 0 {
		t.Fatalf("key %s is not in the list of its company", want.ID)
	}
	same(t, "Keys", all[i], want)
}

// lacksKey fails the test if any method finds a key.
func (k *kit) lacksKey(t *testing.T, key string, hash [32]byte) {
	t.Helper()
	_, err := k.Key(t.Context(), k.company, key)
	missing(t, "Key", err)
	_, err = k.KeyByHash(t.Context(), hash)
	missing(t, "KeyByHash", err)
	if slices.ContainsFunc(k.allKeys(t), func(there access.Key) bool { return there.ID == key }) {
		t.Errorf("key %s is in the list", key)
	}
}

func (k *kit) allKeys(t *testing.T) []access.Key {
	t.Helper()
	return everyPage(t, 0, func(p store.Page) (store.List[access.Key], error) { return k.Keys(t.Context(), k.company, p) })
}

func createKey(t *testing.T, k *kit) {
	for i, scope := range []access.Scope{access.ScopeRead, access.ScopeWrite, access.ScopeFull} {
		key, hash := newKey()
		key.Name, key.Hint, key.Scope = hostile[i], hostile[i+1][:4], scope
		given := key
		given.Company, given.LastUsedAt, given.ReplacedBy = id.New(id.Company), now(), id.New(id.Key)
		ok(t, "CreateKey", k.CreateKey(t.Context(), k.commit(), given, hash))
		k.hasKey(t, key, hash)
	}
	forever, hash := newKey()
	forever.ExpiresAt = time.Time{}
	ok(t, "CreateKey", k.CreateKey(t.Context(), k.commit(), forever, hash))
	k.hasKey(t, forever, hash)
	if got, _ := k.Key(t.Context(), k.company, forever.ID); !got.ExpiresAt.IsZero() || !got.LastUsedAt.IsZero() {
		t.Errorf("a key that never expires and was never used reads %+v", got)
	}
}

func createKeyForRequest(t *testing.T, k *kit) {
	operator := newKit(t, k.Store)
	request := id.New(id.Request)
	claimed := operator.claimed(t, request, long)
	key, hash := newKey()
	cm := k.commit()
	cm.Receipt = &store.Receipt{Scope: claimed.Scope, Key: claimed.Key, Fence: claimed.Fence - 1, Result: key.ID, Done: true, Company: operator.company}
	refused(t, "CreateKey under an old receipt", k.CreateKey(t.Context(), cm, key, hash), store.ErrFenced)
	_, err := k.Key(t.Context(), k.company, key.ID)
	missing(t, "Key", err)
	cm.Receipt.Fence = claimed.Fence
	ok(t, "CreateKey", k.CreateKey(t.Context(), cm, key, hash))
	if s := operator.claim(t, request, "hash", long); s.Claimed || !s.Done || s.Result != key.ID {
		t.Errorf("the receipt is %+v, want one done with result %s", s, key.ID)
	}
	if s := k.claim(t, request, "hash", long); !s.Claimed {
		t.Errorf("the company whose key it is has the receipt %+v, want none", s)
	}
}

func createKeyTwice(t *testing.T, k *kit) {
	there, hash := k.newKey(t)
	before := read(t, k, k.company)
	taken, other := newKey()
	taken.ID = there.ID
	refused(t, "CreateKey with an id that is there", k.CreateKey(t.Context(), k.commit(), taken, other), store.ErrConflict)
	again, _ := newKey()
	refused(t, "CreateKey with a hash that is there", k.CreateKey(t.Context(), k.commit(), again, hash), store.ErrConflict)
	stranger := newKit(t, k.Store)
	refused(t, "CreateKey with a hash of another company", stranger.CreateKey(t.Context(), stranger.commit(), again, hash), store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
	k.hasKey(t, there, hash)
}

func unknownKey(t *testing.T, k *kit) {
	_, hash := k.newKey(t)
	before := read(t, k, k.company)
	for i := range 8 * len(hash) {
		near := hash
		near[i/8] ^= 1 << (i % 8)
		_, err := k.KeyByHash(t.Context(), near)
		missing(t, "KeyByHash", err)
	}
	_, err := k.KeyByHash(t.Context(), [32]byte{})
	missing(t, "KeyByHash of no hash", err)
	never, unused := newKey()
	for _, key := range []string{never.ID, "", k.agent} {
		_, err := k.Key(t.Context(), k.company, key)
		missing(t, "Key", err)
		missing(t, "RotateKey", k.RotateKey(t.Context(), k.commit(), key, now(), never, unused))
		missing(t, "RevokeKey", k.RevokeKey(t.Context(), k.commit(), key))
		ok(t, "UseKey of a key that is not there", k.UseKey(t.Context(), k.company, key, now()))
	}
	same(t, "the company", read(t, k, k.company), before)
	k.lacksKey(t, never.ID, unused)
}

func keyByHash(t *testing.T, k *kit) {
	mine, hash := k.newKey(t)
	other := newKit(t, k.Store)
	theirs, otherHash := newKey()
	theirs.ID, theirs.Name = mine.ID, "Theirs"
	ok(t, "CreateKey", other.CreateKey(t.Context(), other.commit(), theirs, otherHash))
	k.hasKey(t, mine, hash)
	other.hasKey(t, theirs, otherHash)
	ok(t, "RevokeKey", k.RevokeKey(t.Context(), k.commit(), mine.ID))
	k.lacksKey(t, mine.ID, hash)
	other.hasKey(t, theirs, otherHash)
}

func rotateKey(t *testing.T, k *kit) {
	bystander, bystandersHash := k.newKey(t)
	old, oldHash := k.newKey(t)
	ok(t, "UseKey", k.UseKey(t.Context(), k.company, old.ID, old.CreatedAt))
	next, hash := newKey()
	next.ExpiresAt = time.Time{}
	ends := now().Add(time.Minute)
	ok(t, "RotateKey", k.RotateKey(t.Context(), k.commit(), old.ID, ends, next, hash))
	old.LastUsedAt, old.ReplacedBy, old.ExpiresAt = old.CreatedAt, next.ID, ends
	k.hasKey(t, old, oldHash)
	k.hasKey(t, next, hash)
	k.hasKey(t, bystander, bystandersHash)

	third, thirdHash := newKey()
	ok(t, "RotateKey of the new key", k.RotateKey(t.Context(), k.commit(), next.ID, ends, third, thirdHash))
	k.hasKey(t, old, oldHash)
	k.hasKey(t, third, thirdHash)
}

func rotateKeyTwice(t *testing.T, k *kit) {
	old, oldHash := k.newKey(t)
	next, hash := newKey()
	ok(t, "RotateKey", k.RotateKey(t.Context(), k.commit(), old.ID, old.ExpiresAt, next, hash))
	before := read(t, k, k.company)
	late, lateHash := newKey()
	refused(t, "RotateKey again", k.RotateKey(t.Context(), k.commit(), old.ID, now(), late, lateHash), store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
	k.lacksKey(t, late.ID, lateHash)
	ok(t, "RevokeKey", k.RevokeKey(t.Context(), k.commit(), next.ID))
	refused(t, "RotateKey after the new key was revoked",
		k.RotateKey(t.Context(), k.commit(), old.ID, now(), late, lateHash), store.ErrConflict)
	old.ReplacedBy = next.ID
	k.hasKey(t, old, oldHash)
}

func rotateToTaken(t *testing.T, k *kit) {
	old, oldHash := k.newKey(t)
	there, hash := k.newKey(t)
	stranger := newKit(t, k.Store)
	_, strangersHash := stranger.newKey(t)
	before := read(t, k, k.company)
	next, free := newKey()
	taken := next
	taken.ID = there.ID
	for what, err := range map[string]error{
		"an id that is there":       k.RotateKey(t.Context(), k.commit(), old.ID, now(), taken, free),
		"its own hash":              k.RotateKey(t.Context(), k.commit(), old.ID, now(), next, oldHash),
		"a hash that is there":      k.RotateKey(t.Context(), k.commit(), old.ID, now(), next, hash),
		"a hash of another company": k.RotateKey(t.Context(), k.commit(), old.ID, now(), next, strangersHash),
	} {
		refused(t, "RotateKey to "+what, err, store.ErrConflict)
	}
	same(t, "the company", read(t, k, k.company), before)
	k.hasKey(t, old, oldHash)
}

func concurrentRotations(t *testing.T, k *kit) {
	old, oldHash := k.newKey(t)
	ends := now().Add(time.Minute)
	var (
		wg      sync.WaitGroup
		made    [8]access.Key
		hashes  [8][32]byte
		results [8]error
	)
	for i := range made {
		made[i], hashes[i] = newKey()
		cm := k.commit(tell(event.AgentUpdated, k.agent))
		cm.Audit = &store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "key.rotate", Object: made[i].ID, At: now()}
		wg.Go(func() { results[i] = k.RotateKey(t.Context(), cm, old.ID, ends, made[i], hashes[i]) })
	}
	wg.Wait()
	won := -1
	for i, err := range results {
		switch {
		case err == nil && won < 0:
			won = i
		case err == nil:
			t.Error("two rotations of one key won")
		default:
			refused(t, "RotateKey that lost", err, store.ErrConflict)
			k.lacksKey(t, made[i].ID, hashes[i])
		}
	}
	if won < 0 {
		t.Fatal("no rotation won")
	}
	old.ReplacedBy, old.ExpiresAt = made[won].ID, ends
	k.hasKey(t, old, oldHash)
	k.hasKey(t, made[won], hashes[won])
	after := read(t, k, k.company)
	if len(after.Keys) != 2 || len(after.Audit) != 1 || after.Audit[0].Object != made[won].ID || len(after.Events) != 2 {
		t.Errorf("after one rotation of one key the company has %s", canonical(after))
	}
}

func revokeKey(t *testing.T, k *kit) {
	key, hash := k.newKey(t)
	stays, staysHash := k.newKey(t)
	k.hasKey(t, key, hash)
	ok(t, "RevokeKey", k.RevokeKey(t.Context(), k.commit(), key.ID))
	k.lacksKey(t, key.ID, hash)
	k.hasKey(t, stays, staysHash)
	missing(t, "RevokeKey again", k.RevokeKey(t.Context(), k.commit(), key.ID))
	next, nextHash := newKey()
	missing(t, "RotateKey of a revoked key", k.RotateKey(t.Context(), k.commit(), key.ID, now(), next, nextHash))
	ok(t, "UseKey of a revoked key", k.UseKey(t.Context(), k.company, key.ID, now()))
	k.lacksKey(t, key.ID, hash)
	k.lacksKey(t, next.ID, nextHash)
}

func rotateAndRevoke(t *testing.T, k *kit) {
	for range 8 {
		old, oldHash := k.newKey(t)
		next, hash := newKey()
		var (
			wg              sync.WaitGroup
			rotated, revoke error
		)
		wg.Go(func() { rotated = k.RotateKey(t.Context(), k.commit(), old.ID, old.ExpiresAt, next, hash) })
		wg.Go(func() { revoke = k.RevokeKey(t.Context(), k.commit(), old.ID) })
		wg.Wait()
		ok(t, "RevokeKey", revoke)
		k.lacksKey(t, old.ID, oldHash)
		if rotated == nil {
			k.hasKey(t, next, hash)
			continue
		}
		missing(t, "RotateKey after RevokeKey", rotated)
		k.lacksKey(t, next.ID, hash)
	}
}

func manyRotateAndRevoke(t *testing.T, k *kit) {
	for range 6 {
		before := read(t, k, k.company)
		old, oldHash := k.newKey(t)
		var (
			made     [4]access.Key
			hashes   [4][32]byte
			rotated  [4]error
			revoked  [4]error
			replaced []int
			removed  int
		)
		for i := range made {
			made[i], hashes[i] = newKey()
		}
		together(8, func(i int) {
			if n := i / 2; i%2 == 0 {
				rotated[n] = k.RotateKey(t.Context(), k.commit(tell(event.AgentUpdated, k.agent)), old.ID, old.ExpiresAt, made[n], hashes[n])
			} else {
				revoked[n] = k.RevokeKey(t.Context(), k.commit(tell(event.AgentUpdated, k.agent)), old.ID)
			}
		})
		for i := range made {
			among(t, "RotateKey", rotated[i], store.ErrConflict, store.ErrNotFound)
			among(t, "RevokeKey", revoked[i], store.ErrNotFound)
			if rotated[i] == nil {
				replaced = append(replaced, i)
				k.hasKey(t, made[i], hashes[i])
			} else {
				k.lacksKey(t, made[i].ID, hashes[i])
			}
			if revoked[i] == nil {
				removed++
			}
		}
		k.lacksKey(t, old.ID, oldHash)
		after := read(t, k, k.company)
		if len(replaced) > 1 || removed != 1 || len(after.Keys) != len(before.Keys)+len(replaced) || len(after.Events) != len(before.Events)+len(replaced)+1 {
			t.Errorf("of four rotations and four revocations of a key %d and %d were made, which left %d keys and %d events more",
				len(replaced), removed, len(after.Keys)-len(before.Keys), len(after.Events)-len(before.Events))
		}
	}
}

func useKey(t *testing.T, k *kit) {
	key, hash := k.newKey(t)
	stays, staysHash := k.newKey(t)
	before := read(t, k, k.company)
	start := now()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := k.UseKey(t.Context(), k.company, key.ID, start.Add(time.Duration(i)*time.Second)); err != nil {
				t.Errorf("UseKey: %v", err)
			}
		})
	}
	wg.Wait()
	key.LastUsedAt = start.Add(7 * time.Second)
	k.hasKey(t, key, hash)
	ok(t, "UseKey earlier", k.UseKey(t.Context(), k.company, key.ID, start))
	k.hasKey(t, key, hash)
	k.hasKey(t, stays, staysHash)
	after := read(t, k, k.company)
	after.Keys = before.Keys
	same(t, "the company but for its keys", after, before)
}

func keysOfDeletedCompany(t *testing.T, k *kit) {
	key, hash := k.newKey(t)
	other := newKit(t, k.Store)
	theirs, theirHash := other.newKey(t)
	c, err := k.Company(t.Context(), k.company)
	ok(t, "Company", err)
	ok(t, "DeleteCompany", k.DeleteCompany(t.Context(), k.commit()))
	_, err = k.KeyByHash(t.Context(), hash)
	missing(t, "KeyByHash", err)
	_, err = k.Key(t.Context(), k.company, key.ID)
	missing(t, "Key", err)
	other.hasKey(t, theirs, theirHash)
	ok(t, "CreateCompany", k.CreateCompany(t.Context(), k.commit(tell(event.AgentCreated, c.DefaultAgent)), c))
	k.lacksKey(t, key.ID, hash)
	ok(t, "CreateKey with the hash of a key that is gone", k.CreateKey(t.Context(), k.commit(), key, hash))
	k.hasKey(t, key, hash)
}

// keySteps are the methods of keys that take a commit.
var keySteps = []step{
	{"CreateKey", func(t *testing.T, k *kit) attempt {
		key, hash := newKey()
		_, taken := k.newKey(t)
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return k.CreateKey(ctx, cm, key, hash) },
			bad:  func(ctx context.Context, cm store.Commit) error { return k.CreateKey(ctx, cm, key, taken) },
			want: store.ErrConflict, stream: k.agent,
		}
	}},
	{"RotateKey", func(t *testing.T, k *kit) attempt {
		old, taken := k.newKey(t)
		key, hash := newKey()
		rotate := func(ctx context.Context, cm store.Commit, hash [32]byte) error {
			return k.RotateKey(ctx, cm, old.ID, now(), key, hash)
		}
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return rotate(ctx, cm, hash) },
			bad:  func(ctx context.Context, cm store.Commit) error { return rotate(ctx, cm, taken) },
			want: store.ErrConflict, stream: k.agent,
		}
	}},
	{"RevokeKey", func(t *testing.T, k *kit) attempt {
		key, _ := k.newKey(t)
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return k.RevokeKey(ctx, cm, key.ID) },
			bad:  func(ctx context.Context, cm store.Commit) error { return k.RevokeKey(ctx, cm, id.New(id.Key)) },
			want: store.ErrNotFound, stream: k.agent,
		}
	}},
}

// keyProbes call the methods with a key's id.
var keyProbes = []probe{
	{"Key", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Key(ctx, k.company, of.apiKey))
	}},
	{"RotateKey", func(ctx context.Context, k *kit, of ids) (any, error) {
		key, hash := newKey()
		return none(k.RotateKey(ctx, k.commit(), of.apiKey, now(), key, hash))
	}},
	{"RevokeKey", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.RevokeKey(ctx, k.commit(), of.apiKey))
	}},
	{"UseKey", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.UseKey(ctx, k.company, of.apiKey, now()))
	}},
}

// keysListed is the list of a company's keys.
var keysListed = listing{
	name: "API keys",
	ready: func(t *testing.T, k *kit) (func() string, func(string)) {
		return func() string {
				key, _ := k.newKey(t)
				return key.ID
			}, func(key string) {
				ok(t, "RevokeKey", k.RevokeKey(t.Context(), k.commit(), key))
			}
	},
	read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
		return keyIDs(k.Keys(ctx, k.company, p))
	},
}

var keyIDs = idsOf(func(v access.Key) string { return v.ID })
