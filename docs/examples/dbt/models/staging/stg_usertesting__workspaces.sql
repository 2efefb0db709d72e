select
    workspace_id,
    name as workspace_name
from {{ source('usertesting', 'workspaces') }}
