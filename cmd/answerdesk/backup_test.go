package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackupAndRestore(t *testing.T) {
	folder, desk := shop(t)
	file := filepath.Join(t.TempDir(), "copy.db")
	program(t, "backup", "--data", desk, file).want(t, 0, "the desk in "+desk+" is copied to "+file+"\n")
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at ten in the morning.\n"})
	program(t, "ingest", "--data", desk, folder).want(t, 0, "1 updated")

	restored := filepath.Join(t.TempDir(), "restored")
	program(t, "restore", "--data", restored, file).want(t, 0, "the desk in "+restored+" is restored from "+file+"\n")
	program(t, "ask", "--data", restored, whenOpen).want(t, 0, "outcome: answer", "opens at nine")
	program(t, "ask", "--data", desk, whenOpen).want(t, 0, "outcome: answer", "opens at ten")

	empty := t.TempDir()
	program(t, "restore", "--data", empty, file).want(t, 0)
	program(t, "ask", "--data", empty, whenOpen).want(t, 0, "opens at nine")
}

// Neither replaces anything, nor makes something of what is no desk.
func TestBackupBadInput(t *testing.T) {
	folder, desk := shop(t)
	top := t.TempDir()
	file := filepath.Join(top, "copy.db")
	program(t, "backup", "--data", desk, file).want(t, 0)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := []byte(strings.Clone(string(good)))
	for i := len(damaged) / 2; i < len(damaged)/2+8192; i++ {
		damaged[i] ^= 0x55
	}
	write(t, top, map[string]string{"damaged.db": string(damaged), "half.db": string(good[:len(good)/2]), "empty.db": ""})

	none := filepath.Join(top, "none")
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no desk", []string{"backup", "--data", folder, top + "/new.db"}, "open " + folder},
		{"no folder", []string{"backup", "--data", none, top + "/new.db"}, "open " + none},
		{"file that is there", []string{"backup", "--data", desk, file}, "back up to " + file + ": file already exists"},
		{"folder that is not there", []string{"backup", "--data", desk, none + "/copy.db"}, "back up to " + none + "/copy.db"},
		{"folder with a desk", []string{"restore", "--data", desk, file}, "restore " + file + " into " + desk + ": the folder is not empty"},
		{"folder with something else", []string{"restore", "--data", folder, file}, "the folder is not empty, it has hours.md"},
		{"file for a folder", []string{"restore", "--data", folder + "/hours.md", file}, folder + "/hours.md"},
		{"copy that is not there", []string{"restore", "--data", none, top + "/gone.db"}, top + "/gone.db"},
		{"copy that is a folder", []string{"restore", "--data", none, folder}, folder},
		{"copy that is none", []string{"restore", "--data", none, folder + "/hours.md"}, "the file is not a database"},
		{"empty copy", []string{"restore", "--data", none, top + "/empty.db"}, "none of this program"},
		{"half a copy", []string{"restore", "--data", none, top + "/half.db"}, "restore " + top + "/half.db"},
		{"damaged copy", []string{"restore", "--data", none, top + "/damaged.db"}, "restore " + top + "/damaged.db"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := program(t, test.args...)
			r.want(t, 1, "answerdesk "+test.args[0]+": ", test.want)
			if r.stdout != "" {
				t.Errorf("standard output = %q, want it empty", r.stdout)
			}
			for _, path := range []string{none, top + "/new.db", top + "/new.db.part", file + ".part"} {
				if _, err := os.Lstat(path); err == nil {
					t.Errorf("%s is there", path)
				}
			}
		})
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(good) {
		t.Errorf("the copy that was there has changed: %v", err)
	}
	program(t, "ask", "--data", desk, whenOpen).want(t, 0, "outcome: answer")
}
