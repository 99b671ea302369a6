"""Keys that were replaced."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    """From the version before to this one."""
    with op.batch_alter_table('actor_keys', schema=None) as batch_op:
        batch_op.add_column(sa.Column('expires_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('vouched', sa.Text(), server_default='first', nullable=False))
        batch_op.add_column(sa.Column('stale', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('proof', sa.LargeBinary(), nullable=True))

    with op.batch_alter_table('objects', schema=None) as batch_op:
        batch_op.add_column(sa.Column('changed_at', sa.BigInteger(), nullable=True))
