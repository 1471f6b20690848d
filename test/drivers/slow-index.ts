/** An index that takes a minute to make, but in the source. */
export const slowIndex = `CREATE FUNCTION slow(line text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN
      IF current_database() LIKE 'hp%' THEN PERFORM pg_sleep(60); END IF;
      RETURN line;
    END $$;
  CREATE TABLE lines (line text);
  INSERT INTO lines VALUES ('one');
  CREATE INDEX ON lines (slow(line))`
