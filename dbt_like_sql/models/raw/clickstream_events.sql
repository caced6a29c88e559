-- Of every event that was staged, the copy received first: the loader has taken the others off the stage, and moved a standing
-- event out of the way that came after one of these (warehouse/merge.py).
with

final as (
    select * from staged_events
)

select * from final
