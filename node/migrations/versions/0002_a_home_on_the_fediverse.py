"""A home on the fediverse."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    """From the version before to this one."""
    op.create_table('featured',
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('actor', 'object_id', name=op.f('pk_featured'))
    )
    with op.batch_alter_table('featured', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_featured_object_id'), ['object_id'], unique=False)

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

    op.create_table('post_sources',
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('body_md', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('object_id', name=op.f('pk_post_sources'))
    )
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

