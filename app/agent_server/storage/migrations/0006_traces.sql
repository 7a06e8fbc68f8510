-- The W3C traceparent of the request that began the run: whoever executes it goes on with that trace.
alter table agent.runs add column traceparent text;
