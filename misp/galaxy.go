package misp

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/polder-exchange/polder/stix"
)

// galaxyTypes are the objects that clusters of a galaxy become, by the type of the galaxy.
var galaxyTypes = map[string]string{
	"threat-actor": "threat-actor", "microsoft-activity-group": "threat-actor", "360net-threat-actor": "threat-actor",
	"mitre-intrusion-set": "intrusion-set", "intrusion-set": "intrusion-set", "mitre-enterprise-attack-intrusion-set": "intrusion-set",
	"mitre-attack-pattern": "attack-pattern", "attack-pattern": "attack-pattern", "mitre-enterprise-attack-attack-pattern": "attack-pattern",
	"mitre-malware": "malware", "malpedia": "malware", "malware": "malware", "rat": "malware", "ransomware": "malware", "banker": "malware",
	"botnet": "malware", "stealer": "malware", "backdoor": "malware", "cryptominers": "malware", "android": "malware", "exploit-kit": "malware",
	"mitre-enterprise-attack-malware": "malware",
	"mitre-tool":                      "tool", "tool": "tool", "mitre-enterprise-attack-tool": "tool",
	"mitre-course-of-action": "course-of-action", "course-of-action": "course-of-action",
	"branded-vulnerability": "vulnerability", "sector": "identity",
}

// undated is the time of what has none: a cluster is the same whenever an event names it, and its object must be too.
var undated = time.Unix(0, 0).UTC()

// galaxies turns clusters; of is the object that they are about, or "" for the event.
func (c *converter) galaxies(path string, list []galaxy, of string, marked marks) {
	for i, g := range list {
		for j, cl := range g.Clusters {
			at := fmt.Sprintf("%s.Galaxy[%d].GalaxyCluster[%d]", path, i, j)
			galaxyType := orText(string(g.Type), string(cl.Type))
			typ := galaxyTypes[galaxyType]
			if typ == "" || strings.TrimSpace(string(cl.Value)) == "" {
				c.b.skip(at, "a cluster of the galaxy %.60q has no counterpart in STIX", galaxyType)
				continue
			}
			id := c.cluster(at, typ, galaxyType, cl, marked)
			if id != "" && of != "" {
				c.relate(at, of, id, marked)
			}
		}
	}
}

// clusterMeta is what is read of the free part of a cluster.
type clusterMeta struct {
	Synonyms   []string `json:"synonyms"`
	Refs       []string `json:"refs"`
	ExternalID text     `json:"external_id"`
}

func readMeta(raw json.RawMessage) clusterMeta {
	var whole struct {
		Synonyms   json.RawMessage `json:"synonyms"`
		Refs       json.RawMessage `json:"refs"`
		ExternalID json.RawMessage `json:"external_id"`
	}
	if json.Unmarshal(raw, &whole) != nil {
		return clusterMeta{}
	}
	external := readTexts(whole.ExternalID)
	m := clusterMeta{Synonyms: readTexts(whole.Synonyms), Refs: readTexts(whole.Refs)}
	if len(external) > 0 {
		m.ExternalID = text(external[0])
	}
	return m
}

// readTexts reads a list of texts, or one by itself.
func readTexts(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return compact(list)
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return compact([]string{one})
	}
	return nil
}

// cluster makes the object of a cluster. Its id follows from all that it says, its creator and marking included: the same
// cluster in another event is the same object, and one that was written anew is another, not a change of the first.
func (c *converter) cluster(path, typ, galaxyType string, cl cluster, marked marks) string {
	meta := readMeta(cl.Meta)
	name := strings.TrimSpace(string(cl.Value))
	uuid := uuid5(append([]string{"cluster", c.o.Creator, typ, galaxyType, readUUID(cl.UUID), name, string(cl.Description), string(meta.ExternalID),
		strings.Join(meta.Synonyms, "\n"), strings.Join(meta.Refs, "\n")}, marked.refs()...)...)
	o, err := stix.Make(typ, func(m *stix.Members) {
		m.Set("id", typ+"--"+uuid)
		m.Set("created_by_ref", c.o.Creator)
		m.Set("created", undated)
		m.Set("name", name)
		m.Set("description", string(cl.Description))
		m.Set("object_marking_refs", marked.refs())
		m.Set("labels", []string{label(keyGalaxy, galaxyType)})
		m.Set("external_references", clusterReferences(cl, meta))
		switch typ {
		case "malware":
			m.Set("is_family", true)
			m.Set("aliases", meta.Synonyms)
		case "identity":
			m.Set("identity_class", "class")
		case "vulnerability", "course-of-action":
		default:
			m.Set("aliases", meta.Synonyms)
		}
	})
	if err != nil {
		c.b.skip(path, "%v", err)
		return ""
	}
	c.b.add(o)
	c.refs = append(c.refs, o.ID)
	return o.ID
}

// clusterReferences are the sources of a cluster and its names elsewhere.
func clusterReferences(cl cluster, meta clusterMeta) []func(*stix.Members) {
	var refs []func(*stix.Members)
	if id := readUUID(cl.UUID); id != "" {
		refs = append(refs, func(m *stix.Members) {
			m.Set("source_name", "misp-galaxy")
			m.Set("external_id", id)
		})
	}
	if meta.ExternalID != "" {
		source := "misp-galaxy"
		if strings.Contains(string(cl.Type), "mitre") {
			source = "mitre-attack"
		}
		refs = append(refs, func(m *stix.Members) {
			m.Set("source_name", source)
			m.Set("external_id", string(meta.ExternalID))
		})
	}
	for _, u := range meta.Refs {
		property := "url"
		if !uriForm.MatchString(u) {
			property = "description"
		}
		refs = append(refs, func(m *stix.Members) {
			m.Set("source_name", "reference")
			m.Set(property, u)
		})
	}
	return refs
}

// uriForm is a web address in the characters that RFC 3986 lets stand.
var uriForm = regexp.MustCompile(`^https?://([A-Za-z0-9\-._~:/?#@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$`)

// relate says that an attribute is about a cluster: an indicator indicates it, all else is related to it.
func (c *converter) relate(path, source, target string, marked marks) {
	relation := "related-to"
	if strings.HasPrefix(source, "indicator--") {
		switch stix.TypeOf(target) {
		case "attack-pattern", "intrusion-set", "malware", "threat-actor", "tool":
			relation = "indicates"
		}
	}
	uuid := uuid5("relation", source, relation, target)
	if _, have := c.b.at["relationship--"+uuid]; have {
		return
	}
	c.make(path, "relationship", uuid, time.Time{}, marked, func(m *stix.Members) {
		m.Set("relationship_type", relation)
		m.Set("source_ref", source)
		m.Set("target_ref", target)
	})
}
