select
    test_id,
    workspace_id,
    title as test_title,
    type as test_type,
    product_type,
    ordered_at
from {{ usertesting.table('tests') }}
