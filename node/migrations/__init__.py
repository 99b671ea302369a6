"""The history of the database's schema, one numbered file a change; `node.migrate` applies it."""

HEAD = "0005"
