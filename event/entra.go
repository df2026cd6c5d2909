package event

// The logs of Entra and Azure: from Graph (camel case), as diagnostic settings export them (a category, the rest under
// properties), and as Log Analytics does (pascal case, the table in Type).

// Where the entra kind looks for what the record is.
const (
	entraCategory = iota
	entraTable
	entraRisk
	entraActivity
	entraLogged
	entraSignIn
	entraPascal
	entraLoggedPascal
)

var entra = &jsonKind{
	format: Entra,
	sure:   sureEntra,
	watch: []string{
		entraCategory: "category", entraTable: "Type", entraRisk: "riskEventType", entraActivity: "activityDisplayName",
		entraLogged: "loggedByService", entraSignIn: "createdDateTime", entraPascal: "Category",
		entraLoggedPascal: "LoggedByService",
	},
	times: []stamp{
		{"createdDateTime", readStamp}, {"activityDateTime", readStamp}, {"detectedDateTime", readStamp},
		{"properties.createdDateTime", readStamp}, {"properties.activityDateTime", readStamp},
		{"time", readStamp}, {"eventTimestamp", readStamp}, {"TimeGenerated", readStamp}, {"CreatedDateTime", readStamp}, {"@timestamp", readStamp},
	},
	whole: []string{
		"targetResources", "targetResources.modifiedProperties", "initiatedBy", "location", "networkLocationDetails",
		"properties.targetResources", "properties.targetResources.modifiedProperties", "properties.initiatedBy",
		"properties.networkLocationDetails", "TargetResources", "TargetResources.modifiedProperties",
	},
	pairs: []nameValues{
		{"additionalDetails", "key", []string{"value"}},
		{"properties.additionalDetails", "key", []string{"value"}},
		{"AdditionalDetails", "key", []string{"value"}},
		{"targetResources.modifiedProperties", "displayName", []string{"newValue", "oldValue"}},
		{"properties.targetResources.modifiedProperties", "displayName", []string{"newValue", "oldValue"}},
		{"TargetResources.modifiedProperties", "displayName", []string{"newValue", "oldValue"}},
	},
	source: entraSource,
}

func sureEntra(e *Event) int {
	text := func(name string) string {
		if f := e.Get(Intern(name)); f != nil {
			return string(f.Value)
		}
		return ""
	}
	switch {
	case e.has("riskEventType") == 1 && e.has("riskState", "riskLevel", "riskDetail", "detectedDateTime") > 0,
		e.has("createdDateTime", "userPrincipalName", "appDisplayName") == 3,
		e.has("activityDisplayName") == 1 && e.has("activityDateTime", "loggedByService", "initiatedBy.user.id") > 0,
		azureService([]byte(text("category"))) != nil && e.has("operationName") == 1 && e.has("tenantId", "resourceId", "properties.id") > 0,
		azureService([]byte(text("Type"))) != nil && e.has("TimeGenerated", "OperationName", "ResultType", "TenantId") > 0,
		e.has("OperationName", "Category", "LoggedByService") == 3:
		return 95
	}
	return 0
}

// azureSources are the categories of diagnostic settings and the tables of Log Analytics, in lower case, by Sigma's service.
var azureSources = func() map[string]*Source {
	m := map[string]*Source{}
	for service, names := range map[string][]string{
		"signinlogs": {
			"signinlogs", "noninteractiveusersigninlogs", "serviceprincipalsigninlogs", "managedidentitysigninlogs", "adfssigninlogs",
			"aadnoninteractiveusersigninlogs", "aadserviceprincipalsigninlogs", "aadmanagedidentitysigninlogs", "microsoftserviceprincipalsigninlogs",
		},
		"auditlogs":     {"auditlogs"},
		"riskdetection": {"userriskevents", "riskyusers", "serviceprincipalriskevents", "aaduserriskevents", "aadriskyusers", "aadserviceprincipalriskevents"},
		"activitylogs":  {"administrative", "security", "servicehealth", "alert", "recommendation", "policy", "autoscale", "resourcehealth", "azureactivity"},
	} {
		for _, name := range names {
			m[name] = knownSource("azure", nil, []string{service})
		}
	}
	return m
}()

var (
	fromAzure     = knownSource("azure", nil, nil)
	fromSignIns   = knownSource("azure", nil, []string{"signinlogs"})
	fromAuditLogs = knownSource("azure", nil, []string{"auditlogs"})
	fromPIM       = knownSource("azure", nil, []string{"auditlogs", "pim"})
	// Findings of Privileged Identity Management come as risk events too, and Sigma's rules ask for them as pim.
	fromRisk = knownSource("azure", nil, []string{"riskdetection", "pim"})
)

// azureService is the source by a category or table, in any case; nil when it is none of Entra's.
func azureService(text []byte) *Source {
	var buf [64]byte
	if len(text) > len(buf) {
		return nil
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	return azureSources[string(buf[:len(text)])]
}

func entraSource(r *jsonReader, _ *Event) *Source {
	if r.seen(entraRisk) != nil {
		return fromRisk
	}
	if f := either(r.seen(entraLogged), r.seen(entraLoggedPascal)); f != nil && string(f.Value) == "PIM" {
		return fromPIM
	}
	for _, i := range []int{entraTable, entraCategory} {
		if f := r.seen(i); f != nil {
			if s := azureService(f.Value); s != nil {
				return s
			}
		}
	}
	switch {
	case r.seen(entraActivity) != nil, r.seen(entraPascal) != nil:
		return fromAuditLogs
	case r.seen(entraSignIn) != nil:
		return fromSignIns
	}
	return fromAzure
}
