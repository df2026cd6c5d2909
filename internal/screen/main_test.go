package screen

import (
	"os"
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

func TestMain(m *testing.M) { os.Exit(webtest.Main(m)) } //house:allow os.Exit: the end of the tests
