package cases

import "github.com/polder-exchange/polder/internal/web"

func (a *API) deadlineRoutes() []web.Route { return nil }
