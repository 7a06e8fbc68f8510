-- Which thread has waited for a person the longest is asked for with the metrics.
create index threads_interrupted on agent.threads (updated_at) where status = 'interrupted';
