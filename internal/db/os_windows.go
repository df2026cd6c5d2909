package db

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile opens name and locks a byte of it that lies beyond its contents, so that others can read those.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	at := &windows.Overlapped{OffsetHigh: 1}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if err != nil {
		_ = f.Close()
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return nil, errHeld
		}
		return nil, err
	}
	return f, nil
}

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

// dirSyncUseless: Windows does not sync folders.
func dirSyncUseless(error) bool { return true }

// network tells whether dir is on a network file system.
func network(dir string) (kind string, refuse bool) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return "", false
	}
	root := make([]uint16, windows.MAX_PATH+1)
	if err := windows.GetVolumePathName(name, &root[0], uint32(len(root))); err != nil {
		return "", false
	}
	if windows.GetDriveType(&root[0]) == windows.DRIVE_REMOTE {
		return "network drive", true
	}
	return "", false
}
