// A small server on Fedify, which speaks ActivityPub with code that is not ours.
//
//   node server.mjs fedify-1|fedify-2 ADDRESS [--secure]
//
// One person, @bob. Prints its origin as one line of JSON when it listens, on a port that the system chose. Everybody
// may follow; with --secure only signed requests may read. Everything that arrives and verifies is an event; a test
// tells the server what to do, and waits for events, through /control:
//
//   GET  /control/events?after=N   answers when there are more than N events, with those after N (no polling)
//   POST /control/lookup  {id}                               -> the document, as Fedify reads it
//   POST /control/follow  {id}                               -> {id: of the Follow}
//   POST /control/like    {id: of a note}                    -> {id: of the Like}
//   POST /control/boost   {id: of a note}                    -> {id: of the Announce}
//   POST /control/undo    {id: of a Follow, Like or Announce of ours}
//   POST /control/note    {content, to?: [ids], inReplyTo?}  -> {id}; without `to` it is public, to all followers
//   POST /control/update  {id: of a note, content}
//   POST /control/delete  {id: of a note}
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
const { Accept, Activity, Announce, Create, Delete, Endpoints, Follow, Like, Mention, Note, Person, PUBLIC_COLLECTION, Tombstone, Undo, Update } =
  await import(`${generation}/vocab`);

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

// ---- the person ---------------------------------------------------------------------------------------------------

const keyPairs = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
const followers = new Map();
const follows = new Map();
const reactions = new Map();
const notes = new Map();

const federation = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true });
const allowed = async (ctx) => !secure || (await ctx.getSignedKeyOwner()) != null;

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    if (identifier !== "bob") return null;
    const keys = await ctx.getActorKeyPairs(identifier);
    return new Person({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: "Bob",
      url: ctx.getActorUri(identifier),
      inbox: ctx.getInboxUri(identifier),
      outbox: ctx.getOutboxUri(identifier),
      followers: ctx.getFollowersUri(identifier),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: keys[0].cryptographicKey,
      assertionMethods: keys.map((key) => key.multikey),
    });
  })
  .setKeyPairsDispatcher((_ctx, identifier) => (identifier === "bob" ? keyPairs : []))
  .authorize(allowed);

federation.setFollowersDispatcher("/users/{identifier}/followers", () => ({ items: [...followers.values()] }));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [] }));
federation.setObjectDispatcher(Follow, "/follows/{id}", (_ctx, { id }) => follows.get(id) ?? null);
federation.setObjectDispatcher(Like, "/likes/{id}", (_ctx, { id }) => reactions.get(id) ?? null);
federation.setObjectDispatcher(Announce, "/boosts/{id}", (_ctx, { id }) => reactions.get(id) ?? null);
federation.setObjectDispatcher(Note, "/notes/{id}", (_ctx, { id }) => notes.get(id) ?? null).authorize(allowed);

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: "bob" }))
  .on(Follow, async (ctx, follow) => {
    const follower = await follow.getActor(ctx);
    followers.set(follower.id.href, { id: follower.id, inboxId: follower.inboxId, endpoints: follower.endpoints });
    await received(ctx, follow);
    const accept = new Accept({ id: fresh(ctx, "accepts"), actor: follow.objectId, to: follower.id, object: follow });
    await ctx.sendActivity({ identifier: "bob" }, follower, accept);
  })
  .on(Undo, async (ctx, undo) => {
    if ((await undo.getObject(ctx)) instanceof Follow) followers.delete(undo.actorId.href);
    await received(ctx, undo);
  })
  .on(Activity, received)
  .onError((_ctx, error) => happened({ event: "error", message: String(error?.stack ?? error) }));

async function received(ctx, activity) {
  const object = await activity.getObject({ ...ctx, suppressError: true }); // with --secure we could not even ask ourselves
  happened({
    event: "activity",
    activity: await activity.toJsonLd(ctx),
    object: object && (await object.toJsonLd({ ...ctx, format: "compact" })),
  });
}

// ---- what a test asks for -----------------------------------------------------------------------------------------

const fresh = (ctx, kind) => new URL(`/${kind}/${randomUUID()}`, ctx.origin ?? origin);

async function lookup(ctx, id) {
  const documentLoader = await ctx.getDocumentLoader({ identifier: "bob" });
  const object = await ctx.lookupObject(id, { documentLoader });
  if (object == null) throw new Error(`${id} cannot be read`);
  return object;
}

async function recipients(ctx, to) {
  return to ? Promise.all(to.map((id) => lookup(ctx, id))) : "followers";
}

async function send(ctx, to, activity) {
  await ctx.sendActivity({ identifier: "bob" }, await recipients(ctx, to), activity, { preferSharedInbox: !to });
  return { id: activity.id.href };
}

function draft(ctx, { content, to, inReplyTo }) {
  return new Note({
    id: ctx.getObjectUri(Note, { id: randomUUID() }),
    attribution: ctx.getActorUri("bob"),
    content,
    replyTarget: inReplyTo ? new URL(inReplyTo) : null,
    published: Temporal.Now.instant(),
    tos: to ? to.map((id) => new URL(id)) : [PUBLIC_COLLECTION],
    ccs: to ? [] : [ctx.getFollowersUri("bob")],
    tags: (to ?? []).map((id) => new Mention({ href: new URL(id), name: "@you" })),
  });
}

const authorOf = async (ctx, id) => [(await lookup(ctx, id)).attributionId.href];

async function react(ctx, Kind, id) {
  const [author] = await authorOf(ctx, id);
  const tos = Kind === Like ? [new URL(author)] : [PUBLIC_COLLECTION, new URL(author)];
  const made = new Kind({ id: ctx.getObjectUri(Kind, { id: randomUUID() }), actor: ctx.getActorUri("bob"), object: new URL(id), tos });
  reactions.set(nameOf(made.id), made);
  return send(ctx, [author], made);
}

const nameOf = (id) => new URL(id).pathname.split("/").at(-1);
const about = (ctx, note) => ({ actor: ctx.getActorUri("bob"), tos: note.toIds, ccs: note.ccIds });
const readers = (note) => (note.toIds.some((id) => id.href === PUBLIC_COLLECTION.href) ? null : note.toIds.map(String));

const control = {
  lookup: async (ctx, { id }) => (await lookup(ctx, id)).toJsonLd({ ...ctx, format: "compact" }),
  follow: async (ctx, { id }) => {
    const follow = new Follow({ id: ctx.getObjectUri(Follow, { id: randomUUID() }), actor: ctx.getActorUri("bob"), object: new URL(id), to: new URL(id) });
    follows.set(nameOf(follow.id), follow);
    return send(ctx, [id], follow);
  },
  undo: async (ctx, { id }) => {
    const done = follows.get(nameOf(id)) ?? reactions.get(nameOf(id));
    const undo = new Undo({ id: fresh(ctx, "undos"), actor: done.actorId, object: done, tos: done.toIds });
    return send(ctx, done instanceof Follow ? [done.objectId.href] : await authorOf(ctx, done.objectId.href), undo);
  },
  like: async (ctx, { id }) => react(ctx, Like, id),
  boost: async (ctx, { id }) => react(ctx, Announce, id),
  note: async (ctx, wanted) => {
    const note = draft(ctx, wanted);
    notes.set(nameOf(note.id), note);
    await send(ctx, wanted.to, new Create({ id: fresh(ctx, "creates"), object: note, published: note.published, ...about(ctx, note) }));
    return { id: note.id.href };
  },
  update: async (ctx, { id, content }) => {
    const note = notes.get(nameOf(id)).clone({ content, updated: Temporal.Now.instant() });
    notes.set(nameOf(note.id), note);
    return send(ctx, readers(note), new Update({ id: fresh(ctx, "updates"), object: note, ...about(ctx, note) }));
  },
  delete: async (ctx, { id }) => {
    const note = notes.get(nameOf(id));
    notes.delete(nameOf(note.id));
    const tombstone = new Tombstone({ id: note.id });
    return send(ctx, readers(note), new Delete({ id: fresh(ctx, "deletes"), object: tombstone, ...about(ctx, note) }));
  },
};

// ---- HTTP ---------------------------------------------------------------------------------------------------------

let origin;

async function answer(request) {
  const url = new URL(request.url);
  if (url.pathname === "/control/events") return Response.json(await eventsAfter(Number(url.searchParams.get("after"))));
  if (url.pathname.startsWith("/control/")) {
    const ctx = federation.createContext(new URL(origin), undefined);
    return Response.json(await control[url.pathname.slice(9)](ctx, await request.json()));
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
