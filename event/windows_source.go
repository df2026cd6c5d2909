package event

import "strings"

// WindowsSource is the source of an event of a Windows channel: the services that Sigma knows the channel by and the
// categories of an event of this id in it. The channel's letters may be of any case. Of a channel that Sigma has no
// name for, the product alone is known. It allocates nothing.
func WindowsSource(channel []byte, id int) *Source {
	var buf [128]byte
	if len(channel) > len(buf) {
		return anyWindows
	}
	for i, c := range channel {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	ch, ok := windowsChannels[string(buf[:len(channel)])]
	if !ok {
		return anyWindows
	}
	if s, ok := ch.byID[id]; ok {
		return s
	}
	return ch.any
}

var anyWindows = knownSource("windows", nil, nil)

// windowsChannel is what is known of one channel: its source, and that of its events of some ids.
type windowsChannel struct {
	any  *Source
	byID map[int]*Source
}

// windowsChannels is keyed by the channel's name in lower case.
var windowsChannels = func() map[string]windowsChannel {
	m := map[string]windowsChannel{}
	for service, channels := range windowsServices {
		for _, c := range channels {
			m[strings.ToLower(c)] = windowsChannel{any: knownSource("windows", nil, []string{service})}
		}
	}
	for name, ids := range windowsCategories {
		ch := m[strings.ToLower(name)]
		ch.byID = map[int]*Source{}
		var services []string
		if ch.any != nil {
			services = ch.any.Services
		} else {
			ch.any = anyWindows
		}
		for id, categories := range ids {
			ch.byID[id] = knownSource("windows", categories, services)
		}
		m[strings.ToLower(name)] = ch
	}
	return m
}()

// windowsServices are Sigma's services and the channels they stand for.
var windowsServices = map[string][]string{
	"application":               {"Application"},
	"security":                  {"Security"},
	"system":                    {"System"},
	"sysmon":                    {"Microsoft-Windows-Sysmon/Operational"},
	"powershell":                {"Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational"},
	"powershell-classic":        {"Windows PowerShell"},
	"applocker":                 {"Microsoft-Windows-AppLocker/EXE and DLL", "Microsoft-Windows-AppLocker/MSI and Script", "Microsoft-Windows-AppLocker/Packaged app-Deployment", "Microsoft-Windows-AppLocker/Packaged app-Execution"},
	"appmodel-runtime":          {"Microsoft-Windows-AppModel-Runtime/Admin"},
	"appxdeployment-server":     {"Microsoft-Windows-AppXDeploymentServer/Operational"},
	"appxpackaging-om":          {"Microsoft-Windows-AppxPackaging/Operational"},
	"bits-client":               {"Microsoft-Windows-Bits-Client/Operational"},
	"bitlocker":                 {"Microsoft-Windows-BitLocker/BitLocker Management"},
	"capi2":                     {"Microsoft-Windows-CAPI2/Operational"},
	"codeintegrity-operational": {"Microsoft-Windows-CodeIntegrity/Operational"},
	"certificateservicesclient-lifecycle-system": {"Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"},
	"dhcp":                                 {"Microsoft-Windows-DHCP-Server/Operational"},
	"diagnosis-scripted":                   {"Microsoft-Windows-Diagnosis-Scripted/Operational"},
	"dns-client":                           {"Microsoft-Windows-DNS Client Events/Operational", "Microsoft-Windows-DNS-Client/Operational"},
	"dns-server":                           {"DNS Server"},
	"dns-server-analytic":                  {"Microsoft-Windows-DNS-Server/Analytical"},
	"dns-server-audit":                     {"Microsoft-Windows-DNS-Server/Audit"},
	"driver-framework":                     {"Microsoft-Windows-DriverFrameworks-UserMode/Operational"},
	"firewall-as":                          {"Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"},
	"hyper-v-worker":                       {"Microsoft-Windows-Hyper-V-Worker-Admin", "Microsoft-Windows-Hyper-V-Worker-Operational"},
	"iis-configuration":                    {"Microsoft-IIS-Configuration/Operational"},
	"kernel-event-tracing":                 {"Microsoft-Windows-Kernel-EventTracing/Admin"},
	"kernel-shimengine":                    {"Microsoft-Windows-Kernel-ShimEngine/Operational", "Microsoft-Windows-Kernel-ShimEngine/Diagnostic"},
	"ldap":                                 {"Microsoft-Windows-LDAP-Client/Debug"},
	"lsa-server":                           {"Microsoft-Windows-LSA/Operational"},
	"microsoft-servicebus-client":          {"Microsoft-ServiceBus-Client/Admin", "Microsoft-ServiceBus-Client/Operational"},
	"msexchange-management":                {"MSExchange Management"},
	"ntfs":                                 {"Microsoft-Windows-Ntfs/Operational"},
	"ntlm":                                 {"Microsoft-Windows-NTLM/Operational"},
	"openssh":                              {"OpenSSH/Operational"},
	"printservice-admin":                   {"Microsoft-Windows-PrintService/Admin"},
	"printservice-operational":             {"Microsoft-Windows-PrintService/Operational"},
	"security-mitigations":                 {"Microsoft-Windows-Security-Mitigations/Kernel Mode", "Microsoft-Windows-Security-Mitigations/User Mode"},
	"sense":                                {"Microsoft-Windows-SENSE/Operational"},
	"shell-core":                           {"Microsoft-Windows-Shell-Core/Operational"},
	"smbclient-connectivity":               {"Microsoft-Windows-SmbClient/Connectivity"},
	"smbclient-security":                   {"Microsoft-Windows-SmbClient/Security"},
	"smbserver-connectivity":               {"Microsoft-Windows-SMBServer/Connectivity"},
	"taskscheduler":                        {"Microsoft-Windows-TaskScheduler/Operational"},
	"terminalservices-localsessionmanager": {"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"},
	"vhdmp":                                {"Microsoft-Windows-VHDMP/Operational"},
	"wmi":                                  {"Microsoft-Windows-WMI-Activity/Operational"},
	"windefend":                            {"Microsoft-Windows-Windows Defender/Operational"},
}

// windowsCategories are Sigma's categories of the events of a channel, by their id. Security 4688 and 4657 are not among
// them, although Sigma's taxonomy allows to read them as process_creation and registry_event: they name their fields
// otherwise and lack most that the rules ask for, so that such a rule on them would be quiet where it should not be, or
// match because a filter's field is missing. Rules for the service security see them.
var windowsCategories = map[string]map[int][]string{
	"Microsoft-Windows-Sysmon/Operational": {
		1:   {"process_creation"},
		2:   {"file_change"},
		3:   {"network_connection"},
		4:   {"sysmon_status"},
		5:   {"process_termination"},
		6:   {"driver_load"},
		7:   {"image_load"},
		8:   {"create_remote_thread"},
		9:   {"raw_access_thread"},
		10:  {"process_access"},
		11:  {"file_event"},
		12:  {"registry_add", "registry_delete", "registry_event"},
		13:  {"registry_set", "registry_event"},
		14:  {"registry_rename", "registry_event"},
		15:  {"create_stream_hash"},
		16:  {"sysmon_status"},
		17:  {"pipe_created"},
		18:  {"pipe_created"},
		19:  {"wmi_event"},
		20:  {"wmi_event"},
		21:  {"wmi_event"},
		22:  {"dns_query"},
		23:  {"file_delete"},
		24:  {"clipboard_capture"},
		25:  {"process_tampering"},
		26:  {"file_delete", "file_delete_detected"},
		27:  {"file_block_executable"},
		28:  {"file_block_shredding"},
		29:  {"file_executable_detected"},
		255: {"sysmon_error"},
	},
	"Microsoft-Windows-PowerShell/Operational": {4103: {"ps_module"}, 4104: {"ps_script"}},
	"PowerShellCore/Operational":               {4103: {"ps_module"}, 4104: {"ps_script"}},
	"Windows PowerShell":                       {400: {"ps_classic_start"}, 600: {"ps_classic_provider_start"}, 800: {"ps_classic_script"}},
	"Microsoft-Windows-Kernel-File/Analytic": {
		12: {"file_access"}, 30: {"file_access"},
		19: {"file_rename"}, 27: {"file_rename"}, 29: {"file_rename"},
	},
}
