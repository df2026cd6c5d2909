package stix

import "strings"

// The predefined extensions of observables, STIX 2.1 part 6.

var fileExtensions = props{
	"archive-ext": object(shape{
		props:    props{"contains_refs": list(identifier("file", "directory")), "comment": text},
		required: []string{"contains_refs"},
	}),
	"ntfs-ext": anyOf(props{"sid": text, "alternate_data_streams": list(object(shape{
		props:    props{"name": text, "hashes": hashes, "size": between(0, maxInteger)},
		required: []string{"name"},
	}))}),
	"pdf-ext": anyOf(props{
		"version": text, "is_optimized": boolean, "document_info_dict": dictionary(text), "pdfid0": text, "pdfid1": text,
	}),
	"raster-image-ext": anyOf(props{
		"image_height": integer, "image_width": integer, "bits_per_pixel": integer, "exif_tags": dictionary(textOr(integer)),
	}),
	"windows-pebinary-ext": object(executable),
}

// anyOf is an object that has at least one of these properties.
func anyOf(own props) check { return object(shape{props: own, rules: []rule{anyOwn(own)}}) }

var executable = shape{
	props: props{
		"pe_type": open(executableTypes), "imphash": text, "machine_hex": hexadecimal, "number_of_sections": between(0, maxInteger),
		"time_date_stamp": toTheSecond, "pointer_to_symbol_table_hex": hexadecimal, "number_of_symbols": between(0, maxInteger),
		"size_of_optional_header": between(0, maxInteger), "characteristics_hex": hexadecimal, "file_header_hashes": hashes,
		"optional_header": object(executableHeader),
		"sections": list(object(shape{
			props:    props{"name": text, "size": between(0, maxInteger), "entropy": number, "hashes": hashes},
			required: []string{"name"},
		})),
	},
	required: []string{"pe_type"},
	rules:    []rule{moreThanType},
}

// moreThanType asks for something beside the required pe_type.
func moreThanType(c *checker, n int32) {
	for name := range c.d.members(n) {
		if name != "pe_type" {
			return
		}
	}
	c.fail(n, "says nothing beside pe_type; give another property of it")
}

var executableHeader = shape{
	props: props{
		"magic_hex": hexadecimal, "major_linker_version": integer, "minor_linker_version": integer, "size_of_code": between(0, maxInteger),
		"size_of_initialized_data": between(0, maxInteger), "size_of_uninitialized_data": between(0, maxInteger),
		"address_of_entry_point": integer, "base_of_code": integer, "base_of_data": integer, "image_base": integer,
		"section_alignment": integer, "file_alignment": integer, "major_os_version": integer, "minor_os_version": integer,
		"major_image_version": integer, "minor_image_version": integer, "major_subsystem_version": integer,
		"minor_subsystem_version": integer, "win32_version_value_hex": hexadecimal, "size_of_image": between(0, maxInteger),
		"size_of_headers": between(0, maxInteger), "checksum_hex": hexadecimal, "subsystem_hex": hexadecimal,
		"dll_characteristics_hex": hexadecimal, "size_of_stack_reserve": between(0, maxInteger),
		"size_of_stack_commit": between(0, maxInteger), "size_of_heap_reserve": between(0, maxInteger),
		"size_of_heap_commit": between(0, maxInteger), "loader_flags_hex": hexadecimal, "number_of_rva_and_sizes": integer, "hashes": hashes,
	},
}

var trafficExtensions = props{
	"http-request-ext": object(shape{
		props: props{
			"request_method": text, "request_value": text, "request_version": text, "request_header": headers,
			"message_body_length": integer, "message_body_data_ref": identifier("artifact"),
		},
		required: []string{"request_method", "request_value"},
	}),
	"icmp-ext": object(shape{
		props:    props{"icmp_type_hex": hexadecimal, "icmp_code_hex": hexadecimal},
		required: []string{"icmp_type_hex", "icmp_code_hex"},
	}),
	"socket-ext": object(shape{
		props: props{
			"address_family": enum("AF_UNSPEC", "AF_INET", "AF_IPX", "AF_APPLETALK", "AF_NETBIOS", "AF_INET6", "AF_IRDA", "AF_BTH"),
			"is_blocking":    boolean, "is_listening": boolean, "options": dictionary(integer),
			"socket_type":       enum("SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"),
			"socket_descriptor": between(0, maxInteger), "socket_handle": integer,
		},
		required: []string{"address_family"},
	}),
	"tcp-ext": anyOf(props{"src_flags_hex": hexadecimal, "dst_flags_hex": hexadecimal}),
}

// headers are those of an HTTP request: by name, a list of strings, since a header may be repeated.
func headers(c *checker, n int32) {
	if c.nested {
		dictionary(textOr(texts))(c, n) // as STIX 2.0 has them
		return
	}
	dictionary(texts)(c, n)
}

var processExtensions = props{
	"windows-process-ext": anyOf(props{
		"aslr_enabled": boolean, "dep_enabled": boolean, "priority": text, "owner_sid": text, "window_title": text, "windows_title": text,
		"startup_info": startupInfo, "integrity_level": enum("low", "medium", "high", "system"),
	}),
	"windows-service-ext": anyOf(props{
		"service_name": text, "descriptions": texts, "display_name": text, "group_name": text,
		"start_type": enum("SERVICE_AUTO_START", "SERVICE_BOOT_START", "SERVICE_DEMAND_START", "SERVICE_DISABLED",
			"SERVICE_SYSTEM_ALERT"),
		"service_dll_refs": list(identifier("file")),
		"service_type": enum("SERVICE_KERNEL_DRIVER", "SERVICE_FILE_SYSTEM_DRIVER", "SERVICE_WIN32_OWN_PROCESS",
			"SERVICE_WIN32_SHARE_PROCESS"),
		"service_status": enum("SERVICE_CONTINUE_PENDING", "SERVICE_PAUSE_PENDING", "SERVICE_PAUSED", "SERVICE_RUNNING",
			"SERVICE_START_PENDING", "SERVICE_STOP_PENDING", "SERVICE_STOPPED"),
	}),
}

// startupInfo holds the fields of Windows' STARTUPINFO: strings and integers, and null where Windows reserves a pointer.
func startupInfo(c *checker, n int32) {
	dictionary(func(*checker, int32) {})(c, n)
	for name, v := range c.d.members(n) {
		back := c.enter(name)
		switch k := c.d.kind(v); {
		case k == 'n' && strings.HasPrefix(name, "lpReserved"):
		case k != '0':
			text(c, v)
		default:
			integer(c, v)
		}
		c.path = c.path[:back]
	}
}

var accountExtensions = props{
	"unix-account-ext": anyOf(props{"gid": integer, "groups": texts, "home_dir": text, "shell": text}),
}
