package node

import (
	"testing"

	"github.com/polder-exchange/polder/internal/cli/clitest"
)

// TestCommandsHelp: every command says what it does and shows an example.
func TestCommandsHelp(t *testing.T) { clitest.Commands(t, Commands()...) }
