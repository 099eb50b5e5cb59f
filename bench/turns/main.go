// Turns measures how many durable turns a second a desk does, beside raw
// transactions of one row on the same file system in the same run:
//
//	go run ./turns [-dir DIR] [-n 20000] [-goroutines 64]
//
// A turn stores the user's message, searches, answers, checks the citation and
// stores the reply: two durable commits. The raw side is one prepared INSERT a
// transaction through modernc.org/sqlite, in WAL mode with synchronous=FULL, as its
// documentation shows, on one connection and without grouping.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

var (
	dir        = flag.String("dir", "", "folder for the databases; a temporary one if empty")
	count      = flag.Int("n", 20_000, "turns, and raw transactions, in each round")
	goroutines = flag.Int("goroutines", 64, "callers at once")
	profile    = flag.String("cpuprofile", "", "file for a CPU profile")
	rounds     = flag.Int("rounds", 3, "rounds, the two sides in turn")
)

func main() {
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		check(err)
		check(pprof.StartCPUProfile(f))
		defer pprof.StopCPUProfile()
	}
	tmp, err := os.MkdirTemp(*dir, "turns")
	check(err)
	defer os.RemoveAll(tmp)
	machine.Print(tmp, *count, " a round, ", *goroutines, " goroutines, synchronous=FULL on both sides")
	fmt.Println("round  side   per second   CPU each     p50        p99")
	var ratios []float64
	for round := range *rounds {
		raw := raw(filepath.Join(tmp, fmt.Sprint("raw", round)))
		turn := turns(filepath.Join(tmp, fmt.Sprint("desk", round)))
		fmt.Printf("%5d  raw    %s\n%5d  turns  %s\n", round+1, raw, round+1, turn)
		ratios = append(ratios, turn.perSecond()/raw.perSecond())
	}
	for _, r := range ratios {
		fmt.Printf("turns / raw = %.2f\n", r)
	}
}

// A result is what one side of a round took.
type result struct {
	wall, cpu time.Duration
	each      []time.Duration
}

func (r result) perSecond() float64 { return float64(*count) / r.wall.Seconds() }

func (r result) String() string {
	return fmt.Sprintf("%10.0f %10v %10v %10v", r.perSecond(), (r.cpu / time.Duration(*count)).Round(100*time.Nanosecond),
		machine.Percentile(r.each, .5).Round(time.Microsecond), machine.Percentile(r.each, .99).Round(time.Microsecond))
}

// measure calls do count times from the goroutines.
func measure(do func(worker int) error) result {
	var (
		next atomic.Int64
		wg   sync.WaitGroup
		r    = result{each: make([]time.Duration, *count)}
	)
	begun, cpu := time.Now(), machine.CPU()
	for w := range *goroutines {
		wg.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(*count) {
					return
				}
				t := time.Now()
				check(do(w))
				r.each[i] = time.Since(t)
			}
		})
	}
	wg.Wait()
	r.wall, r.cpu = time.Since(begun), machine.CPU()-cpu
	return r
}

func turns(dir string) result {
	ctx := context.Background()
	desk, err := answerdesk.Open(ctx, dir, nil)
	check(err)
	defer desk.Close()
	_, err = desk.Knowledge().Put(ctx, knowledge.Document{Title: "Hours", Text: "We open at nine in the morning. On Sundays we stay closed."})
	check(err)
	conversations := make([]string, *goroutines)
	return measure(func(w int) error {
		r, err := desk.Agent("").Ask(ctx, agent.Message{Text: "When do you open in the morning?", ConversationID: conversations[w]})
		if err == nil && r.Outcome != agent.Answer {
			return fmt.Errorf("outcome %s", r.Outcome)
		}
		conversations[w] = r.ConversationID
		return err
	})
}

func raw(dir string) result {
	check(os.MkdirAll(dir, 0o700))
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "raw.db")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	check(err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE TABLE message (id INTEGER PRIMARY KEY, text TEXT NOT NULL)`)
	check(err)
	insert, err := db.Prepare(`INSERT INTO message (text) VALUES (?)`)
	check(err)
	return measure(func(int) error {
		_, err := insert.Exec("When do you open in the morning?")
		return err
	})
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
