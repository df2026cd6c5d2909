package event

import "strings"

var (
	nameType        = Intern("type")
	nameArgc        = Intern("argc")
	nameImage       = Intern("Image")
	nameCommandLine = Intern("CommandLine")
	nameDirectory   = Intern("CurrentDirectory")
	nameUserName    = Intern("User")
	nameProcess     = Intern("ProcessId")
	nameParent      = Intern("ParentProcessId")
	nameLogon       = Intern("LogonId")
)

// auditProcess are the fields of auditd that become fields of a process, the best first for each.
var auditProcess = []struct{ from, to Name }{
	{Intern("exe"), nameImage},
	{Intern("cwd"), nameDirectory},
	{Intern("UID"), nameUserName},
	{Intern("uid"), nameUserName},
	{Intern("pid"), nameProcess},
	{Intern("ppid"), nameParent},
	{Intern("ses"), nameLogon},
}

// process adds the fields of a process that an event with EXECVE starts. The command line is its arguments with blanks
// between, which is what rules look for; how the shell would have quoted them is not known.
func (r *auditReader) process(e *Event) {
	first := -1
	for i, f := range e.Fields {
		if f.Name == nameType && string(f.Value) == "EXECVE" {
			first = i + 1
			break
		}
	}
	if first < 0 {
		return
	}
	e.Source = auditdExec
	r.command = r.command[:0]
	had := Other
	for _, f := range e.Fields[first:] {
		if f.Name == nameType {
			break
		}
		if f.Name == nameArgc || !isArgument(f.Name) {
			continue
		}
		if len(r.command) > 0 && f.Name != had {
			r.command = append(r.command, ' ')
		}
		had = f.Name
		r.command = append(r.command, f.Value...)
	}
	end := len(e.Fields)
	done := Other
	for _, p := range auditProcess {
		if p.to == done {
			continue
		}
		for i := range e.Fields[:end] {
			if f := e.Fields[i]; f.Name == p.from {
				e.add(p.to, f.Kind, f.Value)
				done = p.to
				break
			}
		}
	}
	e.add(nameCommandLine, String, r.command)
}

// arguments are the names of the arguments of EXECVE that are told apart without asking for their text.
var arguments = func() map[Name]bool {
	m := map[Name]bool{}
	for i := range 64 {
		m[Intern("a"+string(appendUint(nil, uint64(i))))] = true
	}
	return m
}()

func isArgument(n Name) bool {
	if arguments[n] {
		return true
	}
	s := n.String()
	return len(s) > 2 && s[0] == 'a' && allDigits([]byte(s[1:]))
}

// syscalls are the system calls of x86-64 that rules name, by number. The daemon writes the names itself when its log is
// enriched.
var syscalls = func() map[string][]byte {
	m := map[string][]byte{}
	for _, pair := range strings.Fields(`0=read 1=write 2=open 3=close 9=mmap 10=mprotect 16=ioctl 41=socket 42=connect
		43=accept 44=sendto 45=recvfrom 49=bind 50=listen 56=clone 57=fork 58=vfork 59=execve 62=kill 76=truncate
		77=ftruncate 80=chdir 82=rename 83=mkdir 84=rmdir 85=creat 86=link 87=unlink 88=symlink 90=chmod 91=fchmod
		92=chown 93=fchown 94=lchown 101=ptrace 105=setuid 106=setgid 113=setreuid 114=setregid 117=setresuid
		119=setresgid 133=mknod 135=personality 155=pivot_root 157=prctl 161=chroot 163=acct 164=settimeofday 165=mount
		166=umount2 167=swapon 168=swapoff 169=reboot 170=sethostname 171=setdomainname 175=init_module
		176=delete_module 188=setxattr 189=lsetxattr 190=fsetxattr 197=removexattr 198=lremovexattr 199=fremovexattr
		227=clock_settime 246=kexec_load 257=openat 258=mkdirat 259=mknodat 260=fchownat 263=unlinkat 264=renameat
		265=linkat 266=symlinkat 268=fchmodat 272=unshare 288=accept4 304=open_by_handle_at 305=clock_adjtime
		308=setns 310=process_vm_readv 311=process_vm_writev 313=finit_module 316=renameat2 319=memfd_create
		320=kexec_file_load 321=bpf 322=execveat 437=openat2`) {
		number, name, _ := strings.Cut(pair, "=")
		m[number] = []byte(name)
	}
	return m
}()
