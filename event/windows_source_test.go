package event

import "testing"

func TestWindowsSource(t *testing.T) {
	for _, c := range []struct {
		name, why                  string
		channel                    string
		id                         int
		product, category, service string
		want                       bool
	}{
		{"sysmon 1", "the category most rules ask for", "Microsoft-Windows-Sysmon/Operational", 1, "windows", "process_creation", "", true},
		{"sysmon 13 set", "one event is of two categories", "Microsoft-Windows-Sysmon/Operational", 13, "windows", "registry_set", "", true},
		{"sysmon 13 event", "one event is of two categories", "Microsoft-Windows-Sysmon/Operational", 13, "windows", "registry_event", "sysmon", true},
		{"sysmon 99", "an id without a category is still of the service", "Microsoft-Windows-Sysmon/Operational", 99, "windows", "", "sysmon", true},
		{"case", "channels are written in any case", "SECURITY", 4624, "windows", "", "security", true},
		{"4688", "a process creation of the Security log has other fields", "Security", 4688, "windows", "process_creation", "", false},
		{"unnamed", "only the product is known", "Directory Service", 1, "windows", "", "", true},
		{"ps", "PowerShell 7 writes the same events", "PowerShellCore/Operational", 4104, "windows", "ps_script", "powershell", true},
	} {
		if got := WindowsSource([]byte(c.channel), c.id).Is(c.product, c.category, c.service); got != c.want {
			t.Errorf("%s (%s): Is = %v", c.name, c.why, got)
		}
	}
	a, b := WindowsSource([]byte("Security"), 1), WindowsSource([]byte("security"), 2)
	if a != b {
		t.Error("the same source has two pointers, so it cannot key a cache")
	}
	if long := make([]byte, 1000); WindowsSource(long, 1).Known() != true {
		t.Error("a channel name of any length is windows")
	}
	ch := []byte("Microsoft-Windows-Sysmon/Operational")
	if n := testing.AllocsPerRun(100, func() { WindowsSource(ch, 1) }); n != 0 {
		t.Errorf("WindowsSource allocates %v times", n)
	}
}
