package evals

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// A Summary counts what conversations came to.
type Summary struct {
	Conversations int `json:"conversations"`
	Always        int `json:"always"` // passed each time: pass^k
	Ever          int `json:"ever"`   // passed at least once: pass@k
	Runs          int `json:"runs"`
	Passed        int `json:"passed"` // of the runs
}

// Sum counts results.
func Sum(results []Result) Summary {
	s := Summary{Conversations: len(results)}
	for _, r := range results {
		if r.Always() {
			s.Always++
		}
		if r.Ever() {
			s.Ever++
		}
		s.Runs += len(r.Runs)
		s.Passed += r.Passed()
	}
	return s
}

// String tells the counts in a line.
func (s Summary) String() string {
	text := fmt.Sprintf("%d of %d conversations passed", s.Always, s.Conversations)
	if s.Runs > s.Conversations {
		text = fmt.Sprintf("%d of %d conversations passed each time, %d at least once; %d of %d runs passed", s.Always, s.Conversations, s.Ever, s.Passed, s.Runs)
	}
	return text
}

// Table writes a line for each conversation, what failed below it, and the counts.
func Table(w io.Writer, results []Result) error {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range results {
		verdict := "passed"
		if !r.Always() {
			verdict = "FAILED"
		}
		if len(r.Runs) > 1 {
			verdict += fmt.Sprintf(" %d of %d", r.Passed(), len(r.Runs))
		}
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\n", verdict, r.ID(), r.took().Round(100*time.Microsecond))
		for _, f := range r.failures() {
			_, _ = fmt.Fprintf(tw, "    %s\n", f)
		}
	}
	_ = tw.Flush() // to memory
	fmt.Fprintf(&b, "\n%s\n", Sum(results))
	_, err := io.WriteString(w, b.String())
	return err
}

// failures are those of all runs, each once.
func (r Result) failures() (all []Failure) {
	told := map[Failure]bool{}
	for _, once := range r.Runs {
		for _, f := range once.Failures {
			if !told[f] {
				told[f] = true
				all = append(all, f)
			}
		}
	}
	return all
}

func (r Result) took() (d time.Duration) {
	for _, once := range r.Runs {
		d += once.Duration
	}
	return d
}

// The elements of a JUnit report, with the attributes that the schemas of Ant and of
// Jenkins ask for.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string      `xml:"name,attr"`
		Package    string      `xml:"package,attr"`
		ID         int         `xml:"id,attr"`
		Timestamp  string      `xml:"timestamp,attr"`
		Hostname   string      `xml:"hostname,attr"`
		Tests      int         `xml:"tests,attr"`
		Failures   int         `xml:"failures,attr"`
		Errors     int         `xml:"errors,attr"`
		Time       string      `xml:"time,attr"`
		Properties struct{}    `xml:"properties"`
		Cases      []junitCase `xml:"testcase"`
		Out        string      `xml:"system-out"`
		Err        string      `xml:"system-err"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report as build servers read it: a suite for each file, and a case
// for each conversation, which has failed unless it passed each time. At is when the
// evals began.
func JUnit(w io.Writer, results []Result, at time.Time) error {
	var out junitSuites
	took := map[int]time.Duration{}
	for _, r := range results {
		n := len(out.Suites) - 1
		if n < 0 || out.Suites[n].Name != r.File {
			n++
			out.Suites = append(out.Suites, junitSuite{
				Name: r.File, Package: "evals", ID: n, Timestamp: at.UTC().Format("2006-01-02T15:04:05"), Hostname: "localhost",
			})
		}
		suite := &out.Suites[n]
		c := junitCase{Name: r.Name, Class: strings.TrimSuffix(r.File, Extension), Time: seconds(r.took())}
		if failures := r.failures(); !r.Always() {
			var text strings.Builder
			for _, f := range failures {
				fmt.Fprintln(&text, f)
			}
			c.Failure = &junitFailure{Message: fmt.Sprintf("%d of %d runs passed", r.Passed(), len(r.Runs)), Type: "expectation", Text: text.String()}
			suite.Failures++
		}
		suite.Tests++
		took[n] += r.took()
		suite.Time = seconds(took[n])
		suite.Cases = append(suite.Cases, c)
	}
	b, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, b)
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
