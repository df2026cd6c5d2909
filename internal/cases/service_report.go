package cases

type reportState struct{}
