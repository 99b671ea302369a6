// A small server on Fedify, which speaks ActivityPub with code that is not ours.
//
//   node server.mjs fedify-1|fedify-2 ADDRESS [--secure]
//
// Two people, @bob and @bobby: `by` says who does something, and is bob where it is left out. Prints its origin as one
// line of JSON when it listens, on a port that the system chose. Everybody may follow; with --secure only signed
// requests may read. Everything that arrives and verifies is an event; a test tells the server what to do, and waits
// for events, through /control:
//
//   GET  /control/events?after=N   answers when there are more than N events, with those after N (no polling);
//                                  with &now=yes at once, even where there are none
//   POST /control/lookup  {id}                         -> the document, as Fedify reads it now, asking as bob
//   POST /control/items   {id: of a collection}        -> [ids], of what Fedify finds in it
//   POST /control/profile {by?, manuallyApprovesFollowers?, alsoKnownAs?: [ids]}: what the actor says from now on
//   POST /control/follow  {by?, id}                    -> {id: of the Follow}
//   POST /control/accept  {id: of a Follow of one of ours who approves by hand}, as often as one likes
//   POST /control/reject  {id: of the same, accepted or not}
//   POST /control/block   {by?, id: of an actor}       -> {id: of the Block}
//   POST /control/move    {by?, target: an actor}      -> {id: of the Move}
//   POST /control/flag    {by?, ids: [an actor, and things of theirs], content} -> {id: of the Flag}
//   POST /control/like    {by?, id: of a note}         -> {id: of the Like}
//   POST /control/boost   {by?, id: of a note}         -> {id: of the Announce}
//   POST /control/undo    {id: of a Follow, Block, Like or Announce of ours}
//   POST /control/note    {by?, content, to?: [ids], cc?: [ids], inReplyTo?, summary?, sensitive?,
//                          image?: {url, mediaType, name}}
//                         -> {id}; to all followers, and public unless `to` says for whom ("followers" is a word for them)
//   POST /control/poll    {by?, content, options: [words], several?, cc?: [ids]}
//                         -> {id}; public, and counts the votes that arrive
//   POST /control/update  {id: of a note or poll, content?}; of a poll with the votes so far
//   POST /control/delete  {id: of a note or poll}
//   POST /control/pin     {id: of a note}              -> {id: of the Add}
//   POST /control/unpin   {id: of a note}              -> {id: of the Remove}
//
// Whoever was looked up once is known: a block there does not keep us from writing to them.
//
// An event: {event: "activity", activity, object}, understood by Fedify (object: dereferenced, as Fedify writes it);
//           {event: "request", method, path, scheme, status, accept}, what the HTTP side saw;
//           {event: "error", message}.
import { Temporal } from "@js-temporal/polyfill";
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";

const [generation, address, ...flags] = process.argv.slice(2);
const secure = flags.includes("--secure");
const { createFederation, generateCryptoKeyPair, MemoryKvStore } = await import(generation);
const { Accept, Activity, Add, Announce, Block, Collection, Create, Delete, Endpoints, Flag, Follow, Image, Like, Mention, Move, Note, Person } =
  await import(`${generation}/vocab`);
const { PUBLIC_COLLECTION, Question, Reject, Remove, Tombstone, Undo, Update } = await import(`${generation}/vocab`);

// ---- what happened ------------------------------------------------------------------------------------------------

const events = [];
const arrivals = new EventEmitter();

function happened(event) {
  events.push(event);
  arrivals.emit("event");
}

async function eventsAfter(count) {
  while (events.length <= count) await once(arrivals, "event");
  return events.slice(count);
}

// ---- the people ---------------------------------------------------------------------------------------------------

const someone = () => ({ says: {}, followers: new Map(), pinned: [], keys: null });
const people = new Map([["bob", someone()], ["bobby", someone()]]);
const asked = new Map(); // Follows of ours by their id, with who follows
const stored = new Map(); // what we made, by the last part of its id
const known = new Map(); // what was looked up, by its id
const voters = new Map(); // of our polls, by id: who chose what

// 2048 bits, as most servers have: those of Fedify itself have 4096, and take a second to make.
const RSA = { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };

function keysOf(name) {
  const person = people.get(name);
  const rsa = () => crypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
  return (person.keys ??= Promise.all([rsa(), generateCryptoKeyPair("Ed25519")]));
}

const federation = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true });
const allowed = async (ctx) => !secure || (await ctx.getSignedKeyOwner()) != null;

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    if (!people.has(identifier)) return null;
    const keys = await ctx.getActorKeyPairs(identifier);
    return new Person({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: identifier[0].toUpperCase() + identifier.slice(1),
      url: ctx.getActorUri(identifier),
      inbox: ctx.getInboxUri(identifier),
      outbox: ctx.getOutboxUri(identifier),
      followers: ctx.getFollowersUri(identifier),
      featured: ctx.getFeaturedUri(identifier),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: keys[0].cryptographicKey,
      assertionMethods: keys.map((key) => key.multikey),
      ...people.get(identifier).says,
    });
  })
  .setKeyPairsDispatcher((_ctx, identifier) => (people.has(identifier) ? keysOf(identifier) : []))
  .authorize(allowed);

const made = (Kind) => (_ctx, { id }) => (stored.get(id) instanceof Kind ? stored.get(id) : null);

federation.setFollowersDispatcher("/users/{identifier}/followers", (_ctx, name) => ({ items: [...people.get(name).followers.values()] }));
federation.setFeaturedDispatcher("/users/{identifier}/featured", (_ctx, name) => ({ items: people.get(name).pinned.map((id) => stored.get(id)) }));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [] }));
federation.setObjectDispatcher(Follow, "/follows/{id}", made(Follow));
federation.setObjectDispatcher(Block, "/blocks/{id}", made(Block));
federation.setObjectDispatcher(Like, "/likes/{id}", made(Like));
federation.setObjectDispatcher(Announce, "/boosts/{id}", made(Announce));
federation.setObjectDispatcher(Note, "/notes/{id}", made(Note)).authorize(allowed);
federation.setObjectDispatcher(Question, "/polls/{id}", made(Question)).authorize(allowed);

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: "bob" }))
  .on(Follow, hearing(async (ctx, follow) => {
    const follower = await follow.getActor(ctx);
    asked.set(follow.id.href, { follow, follower });
    if (!people.get(whose(ctx, follow.objectId)).says.manuallyApprovesFollowers) await control.accept(ctx, { id: follow.id.href });
  }))
  .on(Undo, hearing(async (ctx, undo, undone) => {
    if (undone instanceof Follow) people.get(whose(ctx, undone.objectId)).followers.delete(undo.actorId.href);
  }))
  .on(Create, hearing(async (_ctx, create, answer) => {
    const poll = answer?.replyTargetId && stored.get(nameOf(answer.replyTargetId));
    if (poll instanceof Question && answer.name != null) count(poll, create.actorId.href, String(answer.name));
  }))
  .on(Activity, hearing(async () => {}))
  .onError((_ctx, error) => happened({ event: "error", message: String(error?.stack ?? error) }));

/** Do what is to be done, then tell of it; the activity as it came, before Fedify writes into it what it has fetched. */
function hearing(work) {
  return async (ctx, came) => {
    const activity = await came.toJsonLd(ctx);
    const object = await came.getObject({ ...ctx, suppressError: true }); // with --secure we could not even ask ourselves
    await work(ctx, came, object);
    happened({ event: "activity", activity, object: object && (await object.toJsonLd({ ...ctx, format: "compact" })) });
  };
}

// ---- what a test asks for -----------------------------------------------------------------------------------------

const nameOf = (id) => new URL(id).pathname.split("/").at(-1);
const whose = (ctx, id) => ctx.parseUri(id)?.identifier ?? "bob";
const fresh = (ctx, kind) => new URL(`/${kind}/${randomUUID()}`, ctx.origin ?? origin);

async function lookup(ctx, id) {
  const documentLoader = await ctx.getDocumentLoader({ identifier: "bob" });
  const object = await ctx.lookupObject(id, { documentLoader });
  if (object == null) throw new Error(`${id} cannot be read`);
  known.set(id, object);
  return object;
}

const remembered = async (ctx, id) => known.get(id) ?? lookup(ctx, id);
const authorOf = async (ctx, id) => (await remembered(ctx, id)).attributionId;

/** To whom it is addressed: those whom it names, and the followers where it names their collection. */
async function send(ctx, activity) {
  const identifier = whose(ctx, activity.actorId);
  const addressed = [...activity.toIds, ...activity.ccIds].map(String).filter((id) => id !== PUBLIC_COLLECTION.href);
  const collection = ctx.getFollowersUri(identifier).href;
  const named = addressed.filter((id) => id !== collection);
  const followers = named.length < addressed.length;
  const listed = followers ? [...people.get(identifier).followers.values()] : [];
  const recipients = named.length ? [...listed, ...(await Promise.all(named.map((id) => remembered(ctx, id))))] : "followers";
  await ctx.sendActivity({ identifier }, recipients, activity, { preferSharedInbox: followers });
  return { id: activity.id.href };
}

/** Something that can be taken back. */
function act(ctx, Kind, by, object, addressed) {
  const done = new Kind({ id: ctx.getObjectUri(Kind, { id: randomUUID() }), actor: ctx.getActorUri(by), object, ...addressed });
  stored.set(nameOf(done.id), done);
  return send(ctx, done);
}

function everybody(ctx, by, also = []) {
  return { tos: [PUBLIC_COLLECTION], ccs: [ctx.getFollowersUri(by), ...also.map((id) => new URL(id))] };
}

function draft(ctx, Kind, { by, content, to, cc, inReplyTo, summary, sensitive, image }, more = {}) {
  const tos = (to ?? []).map((id) => (id === "followers" ? ctx.getFollowersUri(by) : new URL(id)));
  const named = [...(to ?? []), ...(cc ?? [])].filter((id) => id !== "followers");
  return new Kind({
    id: ctx.getObjectUri(Kind, { id: randomUUID() }),
    attribution: ctx.getActorUri(by),
    content,
    summary,
    sensitive,
    attachments: image ? [new Image({ ...image, url: new URL(image.url) })] : [],
    replyTarget: inReplyTo ? new URL(inReplyTo) : null,
    published: Temporal.Now.instant(),
    ...(to ? { tos, ccs: [] } : everybody(ctx, by, cc)),
    tags: named.map((id) => new Mention({ href: new URL(id), name: "@you" })),
    ...more,
  });
}

async function create(ctx, object) {
  stored.set(nameOf(object.id), object);
  await send(ctx, new Create({ id: fresh(ctx, "creates"), object, published: object.published, ...about(object) }));
  return { id: object.id.href };
}

const about = (object) => ({ actor: object.attributionId, tos: object.toIds, ccs: object.ccIds });
const choice = (name, totalItems) => new Note({ name, replies: new Collection({ totalItems }) });
const choices = (several, options) => (several ? { inclusiveOptions: options } : { exclusiveOptions: options });

function count(poll, voter, chosen) {
  const votes = voters.get(poll.id.href);
  votes.get(chosen)?.add(voter);
  const options = [...votes].map(([name, who]) => choice(name, who.size));
  const several = votes.several;
  const all = new Set([...votes.values()].flatMap((who) => [...who]));
  stored.set(nameOf(poll.id), poll.clone({ ...choices(several, options), voters: all.size }));
}

async function decide(ctx, Kind, id) {
  const { follow, follower } = asked.get(id);
  const answer = new Kind({ id: fresh(ctx, "answers"), actor: follow.objectId, to: follower.id, object: follow });
  known.set(follower.id.href, follower);
  return send(ctx, answer);
}

async function pin(ctx, Kind, id, change) {
  const by = whose(ctx, stored.get(nameOf(id)).attributionId);
  people.get(by).pinned = change(people.get(by).pinned);
  const said = { id: fresh(ctx, "pins"), actor: ctx.getActorUri(by), object: new URL(id), target: ctx.getFeaturedUri(by) };
  return send(ctx, new Kind({ ...said, ...everybody(ctx, by) }));
}

const control = {
  lookup: async (ctx, { id }) => (await lookup(ctx, id)).toJsonLd({ ...ctx, format: "compact" }),
  items: async (ctx, { id }) => {
    const found = [];
    for await (const item of ctx.traverseCollection(await lookup(ctx, id))) found.push(item.id.href);
    return found;
  },
  profile: async (_ctx, { by, manuallyApprovesFollowers, alsoKnownAs }) => {
    people.get(by).says = { manuallyApprovesFollowers, aliases: (alsoKnownAs ?? []).map((id) => new URL(id)) };
    return {};
  },
  follow: async (ctx, { by, id }) => act(ctx, Follow, by, new URL(id), { to: new URL(id) }),
  accept: async (ctx, { id }) => {
    const { follow, follower } = asked.get(id);
    const row = { id: follower.id, inboxId: follower.inboxId, endpoints: follower.endpoints };
    people.get(whose(ctx, follow.objectId)).followers.set(follower.id.href, row);
    return decide(ctx, Accept, id);
  },
  reject: async (ctx, { id }) => {
    const { follow, follower } = asked.get(id);
    people.get(whose(ctx, follow.objectId)).followers.delete(follower.id.href);
    return decide(ctx, Reject, id);
  },
  block: async (ctx, { by, id }) => {
    people.get(by).followers.delete(id);
    return act(ctx, Block, by, new URL(id), { to: new URL(id) });
  },
  move: async (ctx, { by, target }) => {
    const actor = ctx.getActorUri(by);
    return send(ctx, new Move({ id: fresh(ctx, "moves"), actor, object: actor, target: new URL(target), ...everybody(ctx, by) }));
  },
  flag: async (ctx, { by, ids, content }) => {
    const objects = ids.map((id) => new URL(id));
    return send(ctx, new Flag({ id: fresh(ctx, "flags"), actor: ctx.getActorUri(by), objects, content, to: objects[0] }));
  },
  undo: async (ctx, { id }) => {
    const done = stored.get(nameOf(id));
    return send(ctx, new Undo({ id: fresh(ctx, "undos"), actor: done.actorId, object: done, tos: done.toIds, ccs: done.ccIds }));
  },
  like: async (ctx, { by, id }) => act(ctx, Like, by, new URL(id), { to: await authorOf(ctx, id) }),
  boost: async (ctx, { by, id }) => act(ctx, Announce, by, new URL(id), everybody(ctx, by, [await authorOf(ctx, id)])),
  note: async (ctx, wanted) => create(ctx, draft(ctx, Note, wanted)),
  poll: async (ctx, { options, several, ...wanted }) => {
    const poll = draft(ctx, Question, wanted, { ...choices(several, options.map((name) => choice(name, 0))), voters: 0 });
    voters.set(poll.id.href, Object.assign(new Map(options.map((name) => [name, new Set()])), { several }));
    return create(ctx, poll);
  },
  update: async (ctx, { id, content }) => {
    const held = stored.get(nameOf(id));
    const object = held.clone({ content: content ?? held.content, updated: Temporal.Now.instant() });
    stored.set(nameOf(id), object);
    return send(ctx, new Update({ id: fresh(ctx, "updates"), object, ...about(object) }));
  },
  delete: async (ctx, { id }) => {
    const held = stored.get(nameOf(id));
    stored.delete(nameOf(id));
    const object = new Tombstone({ id: held.id });
    return send(ctx, new Delete({ id: fresh(ctx, "deletes"), object, ...about(held) }));
  },
  pin: async (ctx, { id }) => pin(ctx, Add, id, (pinned) => [nameOf(id), ...pinned]),
  unpin: async (ctx, { id }) => pin(ctx, Remove, id, (pinned) => pinned.filter((one) => one !== nameOf(id))),
};

// ---- HTTP ---------------------------------------------------------------------------------------------------------

let origin;

async function answer(request) {
  const url = new URL(request.url);
  if (url.pathname === "/control/events") {
    const after = Number(url.searchParams.get("after"));
    return Response.json(url.searchParams.has("now") ? events.slice(after) : await eventsAfter(after));
  }
  if (url.pathname.startsWith("/control/")) {
    const ctx = federation.createContext(new URL(origin), undefined);
    return Response.json(await control[url.pathname.slice(9)](ctx, { by: "bob", ...(await request.json()) }));
  }
  const headers = request.headers;
  const scheme = headers.has("signature-input") ? "rfc9421" : headers.has("signature") ? "cavage" : null;
  const response = await federation.fetch(request, { contextData: undefined });
  const { method } = request;
  happened({ event: "request", method, path: url.pathname, scheme, status: response.status, accept: headers.get("accept") });
  return response;
}

const server = createServer(async (incoming, outgoing) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = chunks.length ? Buffer.concat(chunks) : undefined;
  const request = new Request(origin + incoming.url, { method: incoming.method, headers: incoming.headers, body });
  let response;
  try {
    response = await answer(request);
  } catch (error) {
    response = new Response(String(error?.stack ?? error), { status: 500 });
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
});

server.listen(0, address, () => {
  origin = `http://${address}:${server.address().port}`;
  console.log(JSON.stringify({ origin }));
});
