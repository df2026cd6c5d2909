package event

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// rows is text of about n bytes, made of numbered rows under a head.
func rows(n int, head string, row func(i int) string) []byte {
	b := []byte(head)
	for i := 0; len(b) < n; i++ {
		b = append(b, row(i)...)
	}
	return b
}

// textLoads are logs of each text format as they are in the field, of a few kinds of lines.
var textLoads = map[Format]func(n int) []byte{
	ZeekTSV: func(n int) []byte {
		return rows(n, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"+
			"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\thistory\ttunnel_parents\n"+
			"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tstring\tset[string]\n",
			func(i int) string {
				return fmt.Sprintf("17724456%02d.123456\tC%d\t192.0.2.%d\t%d\t198.51.100.%d\t443\ttcp\tssl\t1.5\t%d\t%d\tSF\tT\tShADadFf\tCa,Cb\n", i%100, i, i%250, 1024+i%60000, i%250, i, i*2)
			})
	},
	Syslog: func(n int) []byte {
		return rows(n, "", func(i int) string {
			switch i % 4 {
			case 0:
				return fmt.Sprintf("Mar  2 10:00:%02d host1 sshd[%d]: Failed password for root from 198.51.100.%d port %d ssh2\n", i%60, i, i%250, i%60000)
			case 1:
				return fmt.Sprintf("<86>1 2026-03-02T10:00:%02d.25Z host1 sudo %d - [meta sequenceId=\"%d\"] alice : COMMAND=/bin/sh\n", i%60, i, i)
			case 2:
				return fmt.Sprintf("<189>date=2026-03-02 time=10:00:%02d devname=\"FG1\" logid=\"0000000013\" type=\"traffic\" vd=\"root\" srcip=192.0.2.%d srcport=%d dstip=198.51.100.7 dstport=443 action=\"accept\"\n", i%60, i%250, i%60000)
			}
			return fmt.Sprintf("<166>Mar 02 2026 10:00:%02d asa1 : %%ASA-6-302013: Built outbound TCP connection %d for outside:198.51.100.7/443 (198.51.100.7/443) to inside:192.0.2.10/%d (203.0.113.5/1)\n", i%60, i, i%60000)
		})
	},
	FirewallCSV: func(n int) []byte {
		return rows(n, "date,time,src_ip,src_port,dst_ip,dst_port,protocol,action,rule\n", func(i int) string {
			return fmt.Sprintf("2026-03-02,10:00:%02d,192.0.2.%d,%d,198.51.100.7,443,tcp,accept,\"out, web\"\n", i%60, i%250, i%60000)
		})
	},
	WebLog: func(n int) []byte {
		return rows(n, "", func(i int) string {
			return fmt.Sprintf("192.0.2.%d - - [02/Mar/2026:10:00:%02d +0100] \"GET /item?id=%d HTTP/1.1\" 200 %d \"https://www.example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n", i%250, i%60, i, i)
		})
	},
	W3C: func(n int) []byte {
		return rows(n, "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) sc-status\n", func(i int) string {
			return fmt.Sprintf("2026-03-02 10:00:%02d 192.0.2.80 GET /item id=%d 443 198.51.100.%d Mozilla/5.0+(X11) 200\n", i%60, i, i%250)
		})
	},
	Auditd: func(n int) []byte {
		return rows(n, "", func(i int) string {
			id := fmt.Sprintf("msg=audit(1772445600.155:%d):", i)
			return "type=SYSCALL " + id + " arch=c000003e syscall=59 success=yes exit=0 a0=55e a1=55f items=2 ppid=10 pid=11 auid=1000 uid=0 comm=\"tar\" exe=\"/usr/bin/tar\" key=\"exec\"\n" +
				"type=EXECVE " + id + " argc=3 a0=\"tar\" a1=\"-czf\" a2=2F746D702F6D79206F75742E74677A\ntype=CWD " + id + " cwd=\"/srv\"\n"
		})
	},
	CEF: func(n int) []byte {
		return rows(n, "", func(i int) string {
			return fmt.Sprintf("<134>Mar 02 2026 10:00:%02d host1 CEF:0|Fortinet|Fortigate|7.4|13|traffic forward|3|src=192.0.2.%d dst=198.51.100.7 spt=%d dpt=443 act=accept msg=a message of some words rt=1772445600123\n", i%60, i%250, i%60000)
		})
	},
	Wevtutil: func(n int) []byte {
		return rows(n, "", func(i int) string {
			return fmt.Sprintf("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Sysmon'/><EventID>1</EventID><TimeCreated SystemTime='2026-03-02T10:00:00.1234567Z'/><EventRecordID>%d</EventRecordID><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>ws1</Computer></System><EventData><Data Name='Image'>C:\\Windows\\System32\\cmd.exe</Data><Data Name='CommandLine'>cmd /c &quot;a &amp;&amp; b&quot;</Data><Data Name='ProcessId'>%d</Data></EventData></Event>\n", i, i)
		})
	},
}

// cutAll is the chunks of a log and a decoder for them.
func cutAll(t testing.TB, format Format, data []byte) ([]Chunk, Decoder) {
	t.Helper()
	s, err := Open(bytes.NewReader(data), Options{Now: march})
	if err != nil {
		t.Fatal(err)
	}
	if s.Format() != format {
		t.Fatalf("%s is taken for %s", format, s.Format())
	}
	var all []Chunk
	for {
		c, err := s.Next()
		if err == io.EOF {
			return all, s.NewDecoder()
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
}

// TestTextAllocates: in the steady state no record costs memory, in any text format.
func TestTextAllocates(t *testing.T) {
	for format, load := range textLoads {
		chunks, d := cutAll(t, format, load(200_000))
		var e Event
		n := 0
		decode := func() {
			n = 0
			for _, c := range chunks {
				d.Decode(c, &e, func(err *Error) bool {
					if err != nil {
						t.Fatal(err)
					}
					n++
					return true
				})
			}
		}
		decode()
		if allocs := testing.AllocsPerRun(5, decode); allocs > float64(n)/100+10 {
			t.Errorf("%s: %.0f allocations for %d records", format, allocs, n)
		}
	}
}

// BenchmarkDecodeText decodes each text format, beside splitting the same bytes at line ends.
func BenchmarkDecodeText(b *testing.B) {
	for format, load := range textLoads {
		data := load(4 << 20)
		chunks, d := cutAll(b, format, data)
		b.Run(string(format)+"/event", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			var e Event
			n := 0
			for b.Loop() {
				for _, c := range chunks {
					d.Decode(c, &e, func(err *Error) bool {
						if err != nil {
							b.Fatal(err)
						}
						n++
						return true
					})
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
		b.Run(string(format)+"/split", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if len(bytes.Split(data, []byte{'\n'})) == 0 {
					b.Fatal("no lines")
				}
			}
		})
	}
}
