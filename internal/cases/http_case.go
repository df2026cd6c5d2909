package cases

import "github.com/polder-exchange/polder/internal/web"

func (a *API) caseRoutes() []web.Route { return nil }
