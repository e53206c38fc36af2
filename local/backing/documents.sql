-- FerretDB 1.24 looks a document up with _jsonb->'_id' @> '"its id"', for which its own index, a B-tree, is of no use:
-- each look would read the whole collection, where MongoDB reads one document. Every collection gets an index that can
-- answer it, those that are there now and, by a trigger, those that come.

CREATE OR REPLACE FUNCTION public.index_documents() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    collection regclass;
BEGIN
    FOR collection IN
        SELECT attrelid FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE attname = '_jsonb' AND relkind = 'r' AND relname <> '_ferretdb_database_metadata' AND NOT EXISTS (
            SELECT FROM pg_index JOIN pg_class gin ON gin.oid = indexrelid JOIN pg_am ON pg_am.oid = gin.relam
            WHERE indrelid = attrelid AND amname = 'gin')
    LOOP
        -- Without fastupdate, or a look would read all that was written last, one after the other.
        EXECUTE format($q$CREATE INDEX ON %s USING gin ((_jsonb -> '_id') jsonb_path_ops) WITH (fastupdate = off)$q$, collection);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION public.index_new_documents() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.index_documents();
END $$;

DROP EVENT TRIGGER IF EXISTS index_new_documents;
CREATE EVENT TRIGGER index_new_documents ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
    EXECUTE FUNCTION public.index_new_documents();

SELECT public.index_documents();
