// Voice answers customers who speak: each sentence of a reply is said as soon as it
// is there, while the rest is still being written. Run it at the top of the
// repository:
//
//	go run ./examples/voice                  # type what a microphone would hear
//	go run ./examples/voice -aloud           # replies are spoken by espeak-ng
//	go run ./examples/voice -wav replies     # and here into files of a folder
//
// It answers from the documentation of Answerdesk, without a key or a network. Put
// your own speech service behind [Speech].
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/docs"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

func main() {
	aloud := flag.Bool("aloud", false, "speak with espeak-ng")
	wav := flag.String("wav", "", "speak with espeak-ng into files of the folder `DIR`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	typed := terminal{in: bufio.NewScanner(os.Stdin), out: os.Stdout}
	var speech Speech = &typed
	if *aloud || *wav != "" {
		speech = &espeak{terminal: typed, folder: *wav}
	}
	if err := run(ctx, speech); err != nil {
		fmt.Fprintln(os.Stderr, "voice:", err)
		os.Exit(1)
	}
}

// run answers what is said until nothing more is.
func run(ctx context.Context, speech Speech) error {
	folder, err := os.MkdirTemp("", "voice")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	desk, err := answerdesk.Open(ctx, folder, nil)
	if err != nil {
		return err
	}
	defer desk.Close()
	for in, err := range desk.Knowledge().Ingest(ctx, knowledge.Files(docs.Pages)) {
		if err := errors.Join(err, in.Err); err != nil {
			return err
		}
	}
	conversation := ""
	for {
		said, err := speech.Listen(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		message := agent.Message{ConversationID: conversation, Text: said, ReplyFormat: agent.FormatSpeech}
		if conversation, err = answer(ctx, desk.Agent(""), message, speech); err != nil {
			return err
		}
	}
}

// answer speaks the reply to a message as it comes, and returns the conversation.
func answer(ctx context.Context, a *agent.Handle, m agent.Message, speech Speech) (conversation string, err error) {
	waiting := "" // for the end of its sentence
	for ev, err := range a.Stream(ctx, m) {
		if err != nil {
			return "", err
		}
		conversation = ev.ConversationID
		switch ev.Type {
		case agent.TextDelta:
			waiting += ev.Delta
			end := strings.LastIndexAny(waiting, ".!?。！？؟\n") + 1
			if end == 0 {
				continue
			}
			if err := say(ctx, speech, waiting[:end]); err != nil {
				return "", err
			}
			waiting = waiting[end:]
		case agent.MessageReplaced: // what was said cannot be unsaid
			waiting = ""
			if err := say(ctx, speech, ev.Delta); err != nil {
				return "", err
			}
		}
	}
	return conversation, say(ctx, speech, waiting)
}

// say speaks text as one line without the marks of Markdown, which a quote may have.
func say(ctx context.Context, speech Speech, text string) error {
	text = strings.Join(strings.Fields(strings.NewReplacer("**", "", "`", "", "#", "", "|", ",").Replace(text)), " ")
	if text == "" {
		return nil
	}
	return speech.Speak(ctx, text)
}
