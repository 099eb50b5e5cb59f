// Ask measures one question after another over many passages, and what opening a
// desk costs after its process was killed:
//
//	go run ./ask -corpus ../../shared/data/msdocs100k/corpus.jsonl.gz [-passages 10000] [-n 2000]
//
// The corpus has a JSON object {id, title, text} a line. The desk is filled by a
// child process that is killed (SIGKILL) while it writes one more document; opening
// is then timed, and the first search, which loads the index, apart from it.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

var (
	file     = flag.String("corpus", "../../shared/data/msdocs100k/corpus.jsonl.gz", "documents, gzipped JSON lines")
	passages = flag.Int("passages", 10_000, "documents taken; those of msdocs100k are a passage each")
	count    = flag.Int("n", 2000, "questions")
	profile  = flag.String("cpuprofile", "", "file for a CPU profile of the asking")
	fill     = flag.String("fill", "", "used by the child process: the folder to fill")
)

func main() {
	flag.Parse()
	ctx := context.Background()
	if *fill != "" {
		fillFolder(ctx, *fill)
		return
	}
	dir, err := os.MkdirTemp("", "ask")
	check(err)
	defer os.RemoveAll(dir)
	machine.Print(dir, *passages, " documents, ", *count, " questions, one after another")
	killedWhileFilling(dir)

	begun := time.Now()
	desk, err := answerdesk.Open(ctx, dir, nil)
	check(err)
	defer desk.Close()
	fmt.Printf("open after kill -9      %v\n", time.Since(begun).Round(10*time.Microsecond))

	questions, err := corpus.Questions(corpus.Documents(*file, *passages), *count)
	check(err)
	begun, cpu := time.Now(), machine.CPU()
	_, err = desk.Knowledge().Search(ctx, knowledge.Query{Text: questions[0]})
	check(err)
	fmt.Printf("first search, with load %v (CPU %v)\n", time.Since(begun).Round(time.Millisecond), (machine.CPU() - cpu).Round(time.Millisecond))

	print("search", questions, func(q string) bool {
		r, err := desk.Knowledge().Search(ctx, knowledge.Query{Text: q})
		check(err)
		return len(r.Hits) > 0
	})
	if *profile != "" {
		f, err := os.Create(*profile)
		check(err)
		check(pprof.StartCPUProfile(f))
		defer pprof.StopCPUProfile()
	}
	print("ask", questions, func(q string) bool {
		r, err := desk.Agent("").Ask(ctx, agent.Message{Text: q})
		check(err)
		return r.Outcome == agent.Answer
	})
}

// print times what do does with each question, and counts those it answers.
func print(name string, questions []string, do func(string) bool) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	each, yes := make([]time.Duration, len(questions)), 0
	cpu := machine.CPU()
	for i, q := range questions {
		begun := time.Now()
		if do(q) {
			yes++
		}
		each[i] = time.Since(begun)
	}
	cpu = machine.CPU() - cpu
	runtime.ReadMemStats(&after)
	n := uint64(len(questions))
	fmt.Printf("%-7s p50 %v  p99 %v  CPU %v  %d allocations, %d bytes each  (%d of %d answered)\n", name,
		machine.Percentile(each, .5).Round(time.Microsecond), machine.Percentile(each, .99).Round(time.Microsecond),
		(cpu / time.Duration(n)).Round(time.Microsecond), (after.Mallocs-before.Mallocs)/n, (after.TotalAlloc-before.TotalAlloc)/n, yes, n)
}

// killedWhileFilling fills a folder in a child process, which is killed while it
// writes on.
func killedWhileFilling(dir string) {
	cmd := exec.Command(os.Args[0], "-fill", dir, "-corpus", *file, "-passages", fmt.Sprint(*passages))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Println(lines.Text())
		if strings.HasPrefix(lines.Text(), "filled") {
			break
		}
	}
	time.Sleep(50 * time.Millisecond) // it is in the middle of writing more
	check(cmd.Process.Kill())
	_ = cmd.Wait() // it says that it was killed
}

func fillFolder(ctx context.Context, dir string) {
	desk, err := answerdesk.Open(ctx, dir, nil)
	check(err)
	begun, cpu, bytes := time.Now(), machine.CPU(), 0
	docs := func(yield func(knowledge.Document, error) bool) {
		for d, err := range corpus.Documents(*file, *passages) {
			bytes += len(d.Text)
			if !yield(d, err) {
				return
			}
		}
	}
	for in, err := range desk.Knowledge().Ingest(ctx, docs) {
		check(err)
		check(in.Err)
	}
	fmt.Printf("filled %d documents, %.1f MB, in %v (CPU %v)\n", *passages, float64(bytes)/1e6,
		time.Since(begun).Round(time.Millisecond), (machine.CPU() - cpu).Round(time.Millisecond))
	for i := 0; ; i++ {
		_, err := desk.Knowledge().Put(ctx, knowledge.Document{ExternalID: "more", Text: fmt.Sprint("One more, number ", i)})
		check(err)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
