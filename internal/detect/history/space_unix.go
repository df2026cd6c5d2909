//go:build linux || darwin || freebsd

package history

import "syscall"

// free is how many bytes an ordinary user may still write in dir.
func free(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// noSpace are the errors that say that a disk, or one's share of it, is full.
var noSpace = []error{syscall.ENOSPC, syscall.EDQUOT}
