// Package accounts knows who there is and what each may do: organisations, their people and tokens, sessions,
// communities, memberships and the agreements under which they share, invitations, and how often anybody may try.
//
// # What holds
//
//   - Rights are read from the database at every use, in the transaction that uses them. Nothing is kept between
//     calls, so a change by another process (a command with --data) holds from the next request. A [polder.Actor]
//     that is handed in is a claim: every change reads the actor's role again before it obeys.
//   - Nobody gives a right that he does not hold. A person or token acts for its own organisation, up to its own
//     role; only an administrator makes administrators, and only an administrator acts for another organisation.
//     What somebody made ends with him: tokens that a person or token made end when it is disabled or revoked.
//   - An administrator manages the node and has no right on objects, whatever the membership (rule X8): see [polder.Membership.Right].
//   - A membership gives no sight before the community's agreement is accepted (rule X10).
//   - No secret is stored: of tokens, cookies and invitations the SHA-256, of passwords an argon2id hash. No
//     identifier works as a secret. No secret is in an error, a log line or the audit.
//   - Whoever logs in by a provider is who it says by issuer and subject, and was linked here before; nothing else that a
//     provider says counts. A passkey logs in only with its person verified, and no longer once a copy was noticed. How
//     somebody logs in changes after a proof that it is still the same person. See oidc.go and passkey.go.
//   - Time for expiry never goes back, and time for the log-in limits is the time that the node has been running:
//     moving the machine's clock neither revives a session or token nor opens a limit. See clock.go.
//   - Every change appends an audit entry and raises the epoch in its own transaction. Whoever keeps something open
//     (a stream) looks at [Service.Epoch] and asks [Service.Refresh] again when it moved, and now and then for expiry.
//
// # Tables
//
//	accounts_state       one row: epoch, the two clocks, the organisation that runs the node
//	accounts_org         an organisation; name_key holds names apart that look the same
//	accounts_person      a person: log-in name, role, password hash, preferences
//	accounts_token       a token: hash, role, expiry, who made it; accounts_token_scope limits it to communities
//	accounts_session     a log-in on one device, and by which way it began
//	accounts_identity    (issuer, subject) at a provider of OpenID Connect: whose it is
//	accounts_passkey     a person's passkey: the public key and its counter
//	accounts_community   a community, with the agreement's version and the oldest version that still counts
//	accounts_membership  (organisation, community): role, version of the agreement accepted
//	accounts_agreement   the texts, by version; accounts_acceptance who accepted which and when
//	accounts_invitation, accounts_request   the two ways in
//	accounts_home        other nodes that something known here lives on; accounts_org.home and accounts_community.home
//	                     name them, '' being this node (remote.go)
//	accounts_limit       log-in attempts, by key; accounts_key the node's own keys
//
// The package does not decide what an object's reader may see (package policy does) and sends no mail.
package accounts
