"""Every URL for people, in one list. What other servers use stands in `federation.routes`."""

from __future__ import annotations

from aiohttp import web

from node.accounts import factor_pages as factors
from node.accounts import key_pages as signing
from node.accounts import pages as accounts
from node.accounts import reset_pages as reset
from node.accounts import settings_pages as settings
from node.accounts import setup_pages as setup
from node.admin import pages as admin
from node.admin import server_pages as servers
from node.backup import pages as recovery
from node.backup import restore_pages as restoring
from node.credentials import check_pages as checks
from node.credentials import giving_pages as giving
from node.credentials import pages as credentials
from node.credentials import serving
from node.endorsements import pages as endorsements
from node.feeds import pages as feeds
from node.identity import pages as identity
from node.learning import pages as learning
from node.market import pages as market
from node.media import pages as media
from node.messages import pages as messages
from node.messages import visitor_pages as visitors
from node.moderation import pages as moderation
from node.notifications import pages as notifications
from node.packs import pages as packs
from node.portability import leaving_pages as leaving
from node.portability import pages as portability
from node.profiles import cv_pages as cv
from node.profiles import pages as profiles
from node.profiles import resume_pages as resume
from node.profiles import weeks_pages as weeks
from node.relations import move_pages as moves
from node.relations import pages as relations
from node.search import pages as search
from node.social import pages as social
from node.social import people_pages as circle
from node.social import post_pages as posts
from node.social import writing_pages as writing
from node.web.assets import serve_static
from node.web.health import healthz
from node.web.metrics import metrics


def setup_routes() -> list[web.RouteDef]:
    """Before the node has an address."""
    return [
        web.get("/static/{name:.+}", serve_static),
        web.get("/healthz", healthz),
        web.get("/setup", setup.show),
        web.post("/setup", setup.submit),
        web.get("/setup/restore", restoring.show),
        web.post("/setup/restore", restoring.submit),
        web.post("/setup/restore/confirm", restoring.confirm),
        web.get("/{anything:.*}", setup.waiting),
    ]


def server_routes() -> list[web.RouteDef]:
    """What other servers ask the product's slices: before the routes of `federation`, which know no such things."""
    return [
        web.get("/users/{username}/credentials/{name}", serving.credential),
        web.get(r"/users/{username}/status/{number:\d{1,9}}", serving.status_list),
        web.get("/users/{username}/status", serving.carried_on),
    ]


def node_routes() -> list[web.RouteDef]:
    """All pages of a node."""
    return [
        web.get("/static/{name:.+}", serve_static),
        web.get("/healthz", healthz),
        web.get("/metrics", metrics),
        web.get("/", accounts.start),
        web.get("/setup", setup.already),
        web.post("/setup", setup.already),
        web.get("/setup/keys", recovery.show),
        web.post("/setup/keys", recovery.submit),
        web.get("/setup/identity", identity.setup_page),
        web.post("/setup/identity", identity.make),
        web.post("/setup/identity/try", identity.try_first),
        web.get("/sign-in", accounts.sign_in_page),
        web.post("/sign-in", accounts.sign_in),
        web.post("/sign-in/passkey", accounts.sign_in_with_passkey),
        web.get("/sign-in/code", accounts.code_page),
        web.post("/sign-in/code", accounts.enter_code),
        web.get("/reset", reset.show),
        web.post("/reset", reset.submit),
        web.get("/sign-out", accounts.sign_out_page),
        web.post("/sign-out", accounts.sign_out),
        # what opens an account, and where it is open
        web.get("/settings", settings.show),
        web.post("/settings/password", settings.change_password),
        web.post("/settings/reading", settings.prefer),
        web.post("/settings/sessions/end", settings.end_session),
        web.post("/settings/sessions/end-others", settings.end_others),
        web.get("/settings/proof", settings.proof_page),
        web.post("/settings/proof", settings.prove),
        web.post("/settings/proof/passkey", settings.prove_with_passkey),
        web.get("/settings/passkeys/new", factors.new_passkey_page),
        web.post("/settings/passkeys/new", factors.add_passkey),
        web.get("/settings/passkeys/{name}/remove", factors.remove_passkey_page),
        web.post("/settings/passkeys/{name}/remove", factors.remove_passkey),
        web.get("/settings/codes", factors.codes_page),
        web.post("/settings/codes", factors.confirm_codes),
        web.post("/settings/codes/begin", factors.begin_codes),
        web.post("/settings/codes/renew", factors.renew_recovery),
        web.get("/settings/codes/remove", factors.remove_codes_page),
        web.post("/settings/codes/remove", factors.remove_codes),
        web.get("/settings/keys/change", signing.change_page),
        web.post("/settings/keys/change", signing.change),
        web.get("/settings/keys/stolen", signing.stolen_page),
        web.post("/settings/keys/stolen", signing.stolen),
        web.get("/settings/identity", identity.show),
        web.post("/settings/identity/try", identity.try_again),
        web.get("/settings/identity/change", identity.change_page),
        web.post("/settings/identity/change", identity.change),
        web.get("/settings/identity/claim", identity.claim_page),
        web.post("/settings/identity/claim", identity.claim),
        web.get("/settings/export", portability.show),
        web.post("/settings/export", portability.ask),
        web.get("/settings/export/{name}", portability.download),
        web.post("/settings/export/{name}", portability.drop),
        web.post("/settings/import", portability.bring),
        web.get("/settings/delete", leaving.show),
        web.post("/settings/delete", leaving.delete),
        # what one should know
        web.get("/notifications", notifications.show),
        web.post("/notifications/read", notifications.mark_read),
        web.get("/settings/notices", notifications.notices_page),
        web.post("/settings/notices", notifications.save_notices),
        web.post("/settings/notices/address", notifications.save_address),
        web.get("/settings/notices/confirm/{secret}", notifications.confirm_page),
        web.post("/settings/notices/confirm/{secret}", notifications.confirm),
        web.get("/unsubscribe/{secret}", notifications.unsubscribe_page),
        web.post("/unsubscribe/{secret}", notifications.unsubscribe),
        web.get("/messages", messages.show),
        web.get("/messages/new", messages.new_page),
        web.post("/messages/new", messages.write),
        web.get("/messages/{id}", messages.thread),
        web.post("/messages/{id}", messages.answer),
        web.get("/messages/{id}/close", messages.close_page),
        web.post("/messages/{id}/close", messages.close),
        # a visitor asks
        web.get("/@{handle:[^/]+}/ask", visitors.ask_page),
        web.post("/@{handle:[^/]+}/ask", visitors.ask),
        web.get("/enquiries/confirm/{secret}", visitors.confirm_page),
        web.post("/enquiries/confirm/{secret}", visitors.confirm),
        web.get("/enquiries/{secret}", visitors.show),
        web.post("/enquiries/{secret}", visitors.write),
        # who somebody is
        web.get("/@{handle:[^/]+}", profiles.show),
        web.get("/profile/edit", profiles.edit_page),
        web.post("/profile/edit", profiles.save),
        web.post("/profile/confirm", profiles.confirm),
        web.get("/@{handle:[^/]+}/cv/{name}", profiles.card_page),
        web.get("/@{handle:[^/]+}/resume.json", resume.resume_json),
        web.get("/@{handle:[^/]+}/availability.ics", resume.availability_ics),
        web.get("/profile/cv", cv.show),
        web.get("/profile/weeks", weeks.weeks_page),
        web.post("/profile/weeks", weeks.save_weeks),
        web.get("/profile/import", resume.import_page),
        web.post("/profile/import", resume.preview),
        web.post("/profile/import/take", resume.take),
        web.get("/profile/{section:experience|education|portfolio}/new", cv.new_page),
        web.post("/profile/{section:experience|education|portfolio}/new", cv.add),
        web.get("/profile/{section:experience|education|portfolio}/{name}/edit", cv.edit_page),
        web.post("/profile/{section:experience|education|portfolio}/{name}/edit", cv.edit),
        web.get("/profile/{section:experience|education|portfolio}/{name}/delete", cv.delete_page),
        web.post("/profile/{section:experience|education|portfolio}/{name}/delete", cv.delete),
        web.post("/profile/{section:experience|education|portfolio}/{name}/{direction:up|down}", cv.move),
        web.get("/media/{name}", media.picture),
        web.get("/media/remote/{signature}/{shape}/{subject}/{url}", media.remote),
        web.get("/avatars/{seed}.svg", media.stripes),
        # what somebody says of somebody, and whether it holds
        web.get("/check", checks.show),
        web.post("/check", checks.check),
        web.get("/credentials", credentials.show_all),
        web.post("/credentials/bring", credentials.bring),
        web.get("/credentials/new", giving.new_page),
        web.post("/credentials/new", giving.give),
        web.get("/credentials/{name}/revoke", giving.revoke_page),
        web.post("/credentials/{name}/revoke", giving.revoke),
        web.post("/credentials/{name}/take", credentials.take),
        web.post("/credentials/{name}/see", credentials.let_see),
        web.get("/credentials/{name}/drop", credentials.drop_page),
        web.post("/credentials/{name}/drop", credentials.drop),
        web.get("/@{handle:[^/]+}/credentials/{name}", credentials.show),
        web.get("/endorsements/new", endorsements.new_page),
        web.post("/endorsements/new", endorsements.give),
        web.get("/endorsements/{name}/accept", endorsements.accept_page),
        web.post("/endorsements/{name}/accept", endorsements.accept),
        web.post("/endorsements/{name}/hide", endorsements.hide),
        web.get("/@{handle:[^/]+}/endorsements", endorsements.show),
        # work that is offered and looked for
        web.get("/gigs", market.board),
        web.get("/gigs/new", market.new_page),
        web.post("/gigs/new", market.publish),
        web.get("/gigs/{name}/edit", market.edit_page),
        web.post("/gigs/{name}/edit", market.edit),
        web.get("/gigs/{name}/close", market.close_page),
        web.post("/gigs/{name}/close", market.close),
        web.get("/@{handle:[^/]+}/gigs/{name}", market.show),
        # what can be learnt
        web.get("/learn", learning.shelf),
        web.get("/learn/new", learning.new_page),
        web.post("/learn/new", learning.publish),
        web.get("/learn/{name}/edit", learning.edit_page),
        web.post("/learn/{name}/edit", learning.edit),
        web.get("/learn/{name}/delete", learning.delete_page),
        web.post("/learn/{name}/delete", learning.delete),
        web.get("/@{handle:[^/]+}/learn/{name}", learning.show),
        # who follows whom, and what they say
        web.get("/home", social.home),
        web.post("/home", social.publish),
        web.get("/posts/new", writing.new_page),
        web.post("/posts/new", writing.publish),
        web.get("/@{handle:[^/]+}/posts/{name}", posts.show),
        web.get("/posts/{name}/edit", writing.edit_page),
        web.post("/posts/{name}/edit", writing.edit),
        web.get("/posts/{name}/delete", writing.delete_page),
        web.post("/posts/{name}/delete", writing.delete),
        web.post("/posts/{name}/pin", posts.pin),
        web.post("/posts/{name}/unpin", posts.unpin),
        web.post("/posts/like", posts.like),
        web.post("/posts/unlike", posts.unlike),
        web.post("/posts/boost", posts.boost),
        web.post("/posts/unboost", posts.unboost),
        web.post("/posts/vote", posts.vote),
        web.get("/people", circle.circle),
        web.post("/people/follow", circle.follow),
        web.post("/people/unfollow", circle.unfollow),
        web.get("/people/requests", relations.requests),
        web.post("/people/accept", relations.accept),
        web.post("/people/reject", relations.reject),
        web.get("/people/remove", relations.remove_page),
        web.post("/people/remove", relations.remove),
        web.get("/people/block", relations.block_page),
        web.post("/people/block", relations.block),
        web.post("/people/unblock", relations.unblock),
        web.get("/people/mute", relations.mute_page),
        web.post("/people/mute", relations.mute),
        web.post("/people/unmute", relations.unmute),
        web.get("/settings/blocks", relations.blocks),
        web.get("/people/report", moderation.report_page),
        web.post("/people/report", moderation.report),
        # the server, for whoever runs it
        web.get("/admin", admin.show),
        web.post("/admin/doctor", admin.look_again),
        web.post("/admin/backup", admin.back_up),
        web.post("/admin/queue", admin.turn),
        web.get("/admin/servers", servers.show),
        web.post("/admin/servers", servers.submit),
        web.get("/admin/servers/{host}", servers.one),
        web.post("/admin/servers/{host}", servers.forget),
        web.get("/admin/reports", moderation.listed),
        web.post("/admin/reports/settle", moderation.settle),
        # moving house, and lists of people
        web.get("/settings/move", moves.show),
        web.post("/settings/move/aliases", moves.add_alias),
        web.post("/settings/move/aliases/remove", moves.remove_alias),
        web.get("/settings/move/away", moves.away_page),
        web.post("/settings/move/away", moves.away),
        web.get("/settings/lists/{kind:follows|blocks|mutes}.csv", moves.export),
        web.post("/settings/lists", moves.bring),
        web.get("/settings/lists/{id}", moves.progress),
        web.get("/seen", social.seen),
        # what is found
        web.get("/search", search.search),
        web.get("/tags/{name}", search.tag),
        web.post("/tags/{name}/follow", search.follow_tag),
        web.post("/tags/{name}/unfollow", search.unfollow_tag),
        # for feed readers
        web.get("/@{handle:[^/]+}/feed.{form:atom|json}", feeds.person),
        web.get("/gigs/feed.{form:atom|json}", feeds.gigs),
        web.get("/learn/feed.{form:atom|json}", feeds.modules),
        web.get("/tags/{name}/feed.{form:atom|json}", feeds.tag),
        # people whom somebody recommends
        web.get("/setup/hello", packs.hello),
        web.get("/packs", packs.show_all),
        web.get("/packs/new", packs.new_page),
        web.post("/packs/new", packs.publish),
        web.post("/packs/bring", packs.bring),
        web.get("/packs/visits/{id}", packs.visit_page),
        web.post("/packs/visits/{id}", packs.follow),
        web.get("/packs/{name}/edit", packs.edit_page),
        web.post("/packs/{name}/edit", packs.edit),
        web.get("/packs/{name}/delete", packs.delete_page),
        web.post("/packs/{name}/delete", packs.delete),
        web.get("/@{handle:[^/]+}/packs/{name}", packs.show),
    ]
