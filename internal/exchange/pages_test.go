package exchange

import (
	"testing"

	"github.com/polder-exchange/polder/internal/web/webtest"
)

func TestCatalogues(t *testing.T) { webtest.Catalogues(t, Part(), ".") }
