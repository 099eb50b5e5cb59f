package egress_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
)

// resolver returns a real resolver that asks a name server made of answers: it
// is given a name without its last dot and returns addresses, or one other
// name, which becomes a CNAME.
func resolver(answers func(name string) []string) *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go answer(server, answers)
			return client, nil
		},
	}
}

// zone answers from a table.
func zone(names map[string][]string) func(string) []string {
	return func(name string) []string { return names[name] }
}

// answer speaks DNS over a stream (RFC 1035 sections 4.1 and 4.2.2) until the
// other side hangs up.
func answer(conn net.Conn, answers func(string) []string) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		reply := respond(query, answers)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func respond(query []byte, answers func(string) []string) []byte {
	var labels []string
	at := 12
	for query[at] != 0 {
		n := int(query[at])
		labels = append(labels, string(query[at+1:at+1+n]))
		at += 1 + n
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	question := query[12 : at+5]

	var records []byte
	count := 0
	add := func(name []byte, kind uint16, data []byte) {
		records = append(records, name...)
		records = binary.BigEndian.AppendUint16(records, kind)
		records = append(records, 0, 1, 0, 0, 0, 0) // class IN, time to live 0
		records = binary.BigEndian.AppendUint16(records, uint16(len(data)))
		records = append(records, data...)
		count++
	}
	var collect func(name string, wire []byte)
	collect = func(name string, wire []byte) {
		for _, text := range answers(strings.ToLower(name)) {
			addr, err := netip.ParseAddr(text)
			switch {
			case err != nil:
				add(wire, 5, wireName(text))
				collect(text, wireName(text))
			case addr.Is4() && kind == 1, addr.Is6() && kind == 28:
				add(wire, kind, addr.AsSlice())
			}
		}
	}
	collect(strings.Join(labels, "."), question[:len(question)-4])

	reply := append([]byte{}, query[:2]...)
	flags := uint16(0x8180) // a recursive answer
	if len(answers(strings.ToLower(strings.Join(labels, ".")))) == 0 {
		flags |= 3 // no such name
	}
	reply = binary.BigEndian.AppendUint16(reply, flags)
	reply = append(reply, 0, 1)
	reply = binary.BigEndian.AppendUint16(reply, uint16(count))
	reply = append(reply, 0, 0, 0, 0)
	return append(append(reply, question...), records...)
}

func wireName(name string) []byte {
	var b []byte
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}
