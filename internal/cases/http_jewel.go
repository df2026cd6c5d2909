package cases

import "github.com/polder-exchange/polder/internal/web"

func (a *API) jewelRoutes() []web.Route { return nil }
