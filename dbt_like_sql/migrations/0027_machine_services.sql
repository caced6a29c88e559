-- Which services of the machine do not answer. Null: a machine of an older release, which did not ask them.
alter table machine_health add column services_down text;
comment on column machine_health.services_down is
    'Names of the services that did not answer within a minute, with spaces between them; empty when all did.';
