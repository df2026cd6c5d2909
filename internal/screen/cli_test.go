package screen

import (
	"testing"
	"time"

	"github.com/polder-exchange/polder/internal/cli/clitest"
)

// TestCommands: each command says in short what it does, with an example, and each flag what it is for.
func TestCommands(t *testing.T) { clitest.Commands(t, Commands(CommandOptions{Now: time.Now})...) }
