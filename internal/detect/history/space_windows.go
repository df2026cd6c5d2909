package history

import "golang.org/x/sys/windows"

// free is how many bytes this user may still write in dir.
func free(dir string) (int64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var have uint64
	if err := windows.GetDiskFreeSpaceEx(name, &have, nil, nil); err != nil {
		return 0, err
	}
	return int64(min(have, 1<<62)), nil
}

// noSpace are the errors that say that a disk, or one's share of it, is full.
var noSpace = []error{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED}
