select
    workspace_id,
    name as workspace_name
from {{ usertesting.table('workspaces') }}
