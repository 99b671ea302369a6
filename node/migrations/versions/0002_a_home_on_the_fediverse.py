"""A home on the fediverse."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    """From the version before to this one."""
    op.create_table('archives',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('step', sa.Integer(), server_default='0', nullable=False),
    sa.Column('steps', sa.Integer(), server_default='1', nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('report', sa.Text(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('leased_until', sa.BigInteger(), nullable=True),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_archives'))
    )
    with op.batch_alter_table('archives', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_archives_actor_id'), ['actor_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_archives_expires_at'), ['expires_at'], unique=False)

    op.create_table('asks',
    sa.Column('secret', sa.Text(), nullable=False),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('about', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('secret', name=op.f('pk_asks'))
    )
    with op.batch_alter_table('asks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_asks_created_at'), ['created_at'], unique=False)

    op.create_table('backups',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('way', sa.Text(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_backups'))
    )
    with op.batch_alter_table('backups', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_backups_started_at'), ['started_at'], unique=False)

    op.create_table('conversations',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('via', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('people', sa.Text(), server_default='[]', nullable=False),
    sa.Column('who', sa.Text(), server_default='', nullable=False),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('address', sa.Text(), server_default='', nullable=False),
    sa.Column('secret', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), server_default='en', nullable=False),
    sa.Column('about', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('unread', sa.Integer(), server_default='0', nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conversations')),
    sa.UniqueConstraint('reader', 'via', 'key', name=op.f('uq_conversations_reader_via_key'))
    )
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.create_index('ix_conversations_reader', ['reader', 'last_at', 'id'], unique=False)
        batch_op.create_index('ix_conversations_secret', ['secret'], unique=True, sqlite_where=sa.text('secret IS NOT NULL'), postgresql_where=sa.text('secret IS NOT NULL'))
        batch_op.create_index('ix_conversations_unread', ['reader'], unique=False, sqlite_where=sa.text('unread > 0'), postgresql_where=sa.text('unread > 0'))

    op.create_table('cv_entries',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('section', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('audience', sa.Text(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cv_entries'))
    )
    with op.batch_alter_table('cv_entries', schema=None) as batch_op:
        batch_op.create_index('ix_cv_entries_owner', ['owner', 'section', 'position'], unique=False)

    op.create_table('doctor',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('report', sa.LargeBinary(), nullable=True),
    sa.Column('checked_at', sa.BigInteger(), nullable=True),
    sa.Column('nonce', sa.Text(), nullable=True),
    sa.Column('nonce_until', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_doctor'))
    )
    op.create_table('featured',
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('actor', 'object_id', name=op.f('pk_featured'))
    )
    with op.batch_alter_table('featured', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_featured_object_id'), ['object_id'], unique=False)

    op.create_table('follower_checks',
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('wanted_at', sa.BigInteger(), nullable=False),
    sa.Column('done_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('actor', name=op.f('pk_follower_checks'))
    )
    op.create_table('link_checks',
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('holds_since', sa.BigInteger(), nullable=True),
    sa.Column('checked_at', sa.BigInteger(), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('actor_id', 'url', name=op.f('pk_link_checks'))
    )
    with op.batch_alter_table('link_checks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_checks_due_at'), ['due_at'], unique=False)

    op.create_table('list_import_rows',
    sa.Column('import_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('import_id', 'number', name=op.f('pk_list_import_rows'))
    )
    with op.batch_alter_table('list_import_rows', schema=None) as batch_op:
        batch_op.create_index('ix_list_import_rows_pending', ['import_id', 'number'], unique=False, sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))

    op.create_table('list_imports',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_list_imports'))
    )
    with op.batch_alter_table('list_imports', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_list_imports_owner'), ['owner'], unique=False)

    op.create_table('lookups',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('asked_at', sa.BigInteger(), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('done_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lookups')),
    sa.UniqueConstraint('kind', 'subject', 'reader', name=op.f('uq_lookups_kind_subject_reader'))
    )
    with op.batch_alter_table('lookups', schema=None) as batch_op:
        batch_op.create_index('ix_lookups_due', ['due_at', 'id'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))

    op.create_table('mail_addresses',
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('unsubscribe', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('confirmed_at', sa.BigInteger(), nullable=True),
    sa.Column('digest_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('actor_id', name=op.f('pk_mail_addresses')),
    sa.UniqueConstraint('unsubscribe', name=op.f('uq_mail_addresses_unsubscribe'))
    )
    op.create_table('mail_choices',
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('how', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('actor_id', 'kind', name=op.f('pk_mail_choices'))
    )
    op.create_table('mails',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('unsubscribe', sa.Text(), nullable=True),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mails'))
    )
    with op.batch_alter_table('mails', schema=None) as batch_op:
        batch_op.create_index('ix_mails_due', ['due_at', 'id'], unique=False, sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))

    op.create_table('media',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('alt', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=True),
    sa.Column('position', sa.Integer(), server_default='0', nullable=False),
    sa.Column('dropped_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_media'))
    )
    with op.batch_alter_table('media', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_media_name'), ['name'], unique=False)
        batch_op.create_index(batch_op.f('ix_media_object_id'), ['object_id'], unique=False)
        batch_op.create_index('ix_media_owner', ['owner', 'object_id'], unique=False)

    op.create_table('messages',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('conversation_id', sa.Text(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=True),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages')),
    sa.UniqueConstraint('conversation_id', 'object_id', name=op.f('uq_messages_conversation_id_object_id'))
    )
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index('ix_messages_object', ['object_id'], unique=False)
        batch_op.create_index('ix_messages_thread', ['conversation_id', 'id'], unique=False)

    op.create_table('moves',
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('actor', name=op.f('pk_moves'))
    )
    op.create_table('mutes',
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('actor', 'target', name=op.f('pk_mutes'))
    )
    op.create_table('notifications',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), server_default='', nullable=False),
    sa.Column('object_id', sa.Text(), server_default='', nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('read_at', sa.BigInteger(), nullable=True),
    sa.Column('mailed_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notifications')),
    sa.UniqueConstraint('reader', 'kind', 'actor', 'object_id', name=op.f('uq_notifications_reader_kind_actor_object_id'))
    )
    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.create_index('ix_notifications_object', ['object_id'], unique=False)
        batch_op.create_index('ix_notifications_reader', ['reader', 'id'], unique=False)
        batch_op.create_index('ix_notifications_to_mail', ['id'], unique=False, sqlite_where=sa.text('mailed_at IS NULL'), postgresql_where=sa.text('mailed_at IS NULL'))
        batch_op.create_index('ix_notifications_unread', ['reader'], unique=False, sqlite_where=sa.text('read_at IS NULL'), postgresql_where=sa.text('read_at IS NULL'))

    op.create_table('object_tags',
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('tag', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('object_id', 'tag', name=op.f('pk_object_tags'))
    )
    with op.batch_alter_table('object_tags', schema=None) as batch_op:
        batch_op.create_index('ix_object_tags_tag', ['tag', 'at', 'object_id'], unique=False)

    op.create_table('pack_visits',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('reader', sa.Text(), nullable=False),
    sa.Column('document', sa.LargeBinary(), nullable=False),
    sa.Column('signature', sa.Text(), nullable=False),
    sa.Column('sentence', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pack_visits'))
    )
    with op.batch_alter_table('pack_visits', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pack_visits_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_pack_visits_reader'), ['reader'], unique=False)

    op.create_table('post_sources',
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('body_md', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('object_id', name=op.f('pk_post_sources'))
    )
    op.create_table('reached',
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('inbox', sa.Text(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('sender', 'inbox', name=op.f('pk_reached'))
    )
    with op.batch_alter_table('reached', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reached_delivery_id'), ['delivery_id'], unique=False)

    op.create_table('reactions',
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('activity_id', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('object_id', 'kind', 'actor', name=op.f('pk_reactions'))
    )
    with op.batch_alter_table('reactions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reactions_activity_id'), ['activity_id'], unique=False)
        batch_op.create_index('ix_reactions_actor', ['actor', 'kind', 'object_id'], unique=False)

    op.create_table('recovery',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('salt', sa.LargeBinary(), nullable=False),
    sa.Column('public', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.BigInteger(), nullable=False),
    sa.Column('nightly', sa.Boolean(), nullable=False),
    sa.Column('wanted_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery'))
    )
    op.create_table('relayed',
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('relay', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('object_id', name=op.f('pk_relayed'))
    )
    with op.batch_alter_table('relayed', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_relayed_at'), ['at'], unique=False)

    op.create_table('relays',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('follow_id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_relays'))
    )
    op.create_table('remote_media',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('size', sa.Integer(), server_default='0', nullable=False),
    sa.Column('fetched_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=False),
    sa.Column('retry_at', sa.BigInteger(), nullable=True),
    sa.Column('dropped_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_remote_media'))
    )
    with op.batch_alter_table('remote_media', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_remote_media_name'), ['name'], unique=False)
        batch_op.create_index(batch_op.f('ix_remote_media_subject'), ['subject'], unique=False)
        batch_op.create_index(batch_op.f('ix_remote_media_used_at'), ['used_at'], unique=False)

    op.create_table('reports',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('activity_id', sa.Text(), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('reporter', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('object_ids', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('forwarded', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('settled_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports')),
    sa.UniqueConstraint('activity_id', name=op.f('uq_reports_activity_id'))
    )
    with op.batch_alter_table('reports', schema=None) as batch_op:
        batch_op.create_index('ix_reports_origin', ['origin', 'created_at'], unique=False)

    op.create_table('restored',
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('actor_id', 'source', name=op.f('pk_restored'))
    )
    op.create_table('search_index',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('open', sa.Boolean(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_search_index')),
    sa.UniqueConstraint('subject', name=op.f('uq_search_index_subject'))
    )
    with op.batch_alter_table('search_index', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_search_index_owner'), ['owner'], unique=False)

    op.create_table('search_progress',
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=True),
    sa.Column('place', sa.Text(), server_default='', nullable=False),
    sa.Column('done_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('what', name=op.f('pk_search_progress'))
    )
    op.create_table('seen_activities',
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_seen_activities')),
    sqlite_with_rowid=False
    )
    op.create_table('severed_follows',
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('follower', sa.Text(), nullable=False),
    sa.Column('followee', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('host', 'follower', 'followee', name=op.f('pk_severed_follows'))
    )
    op.create_table('tag_follows',
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('tag', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('actor', 'tag', name=op.f('pk_tag_follows'))
    )
    with op.batch_alter_table('tag_follows', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tag_follows_tag'), ['tag'], unique=False)

    op.create_table('told',
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('inbox', sa.Text(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('recipients', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('object_id', 'sender', 'inbox', name=op.f('pk_told'))
    )
    op.create_table('votes',
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('voter', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('object_id', 'voter', 'name', name=op.f('pk_votes'))
    )
    op.create_table('code_apps',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('confirmed_at', sa.BigInteger(), nullable=True),
    sa.Column('last_step', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_code_apps_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_code_apps'))
    )
    op.create_table('passkeys',
    sa.Column('credential', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_passkeys_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('credential', name=op.f('pk_passkeys')),
    sa.UniqueConstraint('name', name=op.f('uq_passkeys_name'))
    )
    with op.batch_alter_table('passkeys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkeys_account_id'), ['account_id'], unique=False)

    op.create_table('recovery_codes',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_recovery_codes_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'digest', name=op.f('pk_recovery_codes'))
    )
    op.create_table('sign_ins',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('way', sa.Text(), nullable=False),
    sa.Column('browser', sa.Text(), nullable=True),
    sa.Column('system', sa.Text(), nullable=True),
    sa.Column('network', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_sign_ins_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_ins'))
    )
    with op.batch_alter_table('sign_ins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_ins_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sign_ins_at'), ['at'], unique=False)

    op.create_table('tickets',
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=True),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('tries', sa.Integer(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_tickets_account_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_tickets'))
    )
    with op.batch_alter_table('tickets', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tickets_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_tickets_expires_at'), ['expires_at'], unique=False)

    with op.batch_alter_table('accounts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('language', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('theme', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('role', sa.Text(), nullable=True))

    with op.batch_alter_table('actors', schema=None) as batch_op:
        batch_op.add_column(sa.Column('discoverable', sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column('indexable', sa.Boolean(), nullable=True))
        batch_op.create_index('ix_actors_updated_at', ['updated_at', 'id'], unique=False)

    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.create_index('ix_deliveries_given_up', ['finished_at'], unique=False, sqlite_where=sa.text("state = 'given_up'"), postgresql_where=sa.text("state = 'given_up'"))

    with op.batch_alter_table('inbox_messages', schema=None) as batch_op:
        batch_op.create_index('ix_inbox_messages_parked', ['received_at'], unique=False, sqlite_where=sa.text("state = 'parked'"), postgresql_where=sa.text("state = 'parked'"))

    with op.batch_alter_table('objects', schema=None) as batch_op:
        batch_op.create_index('ix_objects_old', ['received_at'], unique=False, sqlite_where=sa.text('NOT local'), postgresql_where=sa.text('NOT local'))

    with op.batch_alter_table('profiles', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kept', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('answered_at', sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f('ix_profiles_answered_at'), ['answered_at'], unique=False)

    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('browser', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('system', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('network', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('seen_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('proved_at', sa.BigInteger(), nullable=True))

    for statement in {'sqlite': ('CREATE VIRTUAL TABLE search_words USING fts5(terms, detail=none, tokenize="ascii tokenchars \':\'")',), 'postgresql': ('CREATE TABLE search_words (id bigint PRIMARY KEY, terms tsvector NOT NULL)', 'CREATE INDEX ix_search_words_terms ON search_words USING gin (terms)')}[op.get_bind().dialect.name]:
        op.execute(statement)

