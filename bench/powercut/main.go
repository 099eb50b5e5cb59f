// Powercut cuts the power of a simulated disk under the store's own code, again
// and again, and looks at what is left:
//
//	go run ./powercut [-seeds 200] [-seed N] [-v]
//
// The store is that of package store/sqlite, and a whole desk on it puts, changes
// and deletes documents, asks, deletes conversations and queues work, several
// callers at once. SQLite is that of github.com/ncruces/go-sqlite3, since it can be
// given a disk that is written in Go: one that keeps what was not synced apart,
// and at the cut loses or tears it at random, sector by sector. WAL mode uses
// shared memory as it does on Unix.
//
// Each seed is a database that goes through three cuts. After each, whatever was
// acknowledged must be there, and nothing by half. The same with weaker settings,
// which the store refuses unless it is deceived, shows that losses would be seen.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3/vfs"
)

var (
	seeds   = flag.Int("seeds", 200, "databases, of three cuts each, with synchronous=FULL; a fifth of them in each weaker way")
	first   = flag.Uint64("seed", 1, "the first seed")
	verbose = flag.Bool("v", false, "say what was found in each database")
)

func main() {
	flag.Parse()
	folder, err := os.MkdirTemp("", "powercut")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	l := newLayer(folder)
	fmt.Println("way                                 databases   cuts  idle  acknowledged  databases with losses  damaged  seconds")
	failed := false
	for _, w := range []way{full, normal, off, lying} {
		n := *seeds
		if w != full {
			n = max(n/5, 10)
		}
		began := time.Now()
		s := sum(l, w, *first, n)
		fmt.Printf("%-36s %8d %6d %5d %13d %22d %8d %8.1f\n", w.name, n, s.cuts, s.idle, s.acked, s.lost, s.damaged, time.Since(began).Seconds())
		if bad := s.lost + s.damaged; (w == full) != (bad == 0) {
			failed = true
		}
	}
	if failed {
		log.Print("FULL is to lose nothing, and each weaker way something")
		os.RemoveAll(folder)
		os.Exit(1)
	}
}

func newLayer(folder string) *layer {
	l := &layer{folder: folder, disks: map[string]*mounted{}}
	vfs.Register(vfsName, l)
	return l
}

// A total is what came of many lives.
type total struct{ cuts, idle, acked, lost, damaged int }

// sum lives n lives, from a seed on.
func sum(l *layer, w way, seed uint64, n int) (t total) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next = make(chan uint64)
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range next {
				v := live(l, w, seed)
				mu.Lock()
				t.cuts += v.cuts
				t.idle += v.idle
				t.acked += v.acked
				switch {
				case v.damage != nil:
					t.damaged++
				case len(v.faults) > 0:
					t.lost++
				}
				if *verbose && (v.damage != nil || len(v.faults) > 0) {
					fmt.Printf("seed %d, %s: %v %v\n", seed, w.name, v.damage, v.faults)
				}
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- seed + uint64(i)
	}
	close(next)
	wg.Wait()
	return t
}
