SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.lapwing_schema (
    version integer NOT NULL,
    applied_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.lapwing_schema_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lapwing_schema_version_seq OWNED BY public.lapwing_schema.version;
CREATE TABLE public.unreadable (
    seq bigint NOT NULL,
    source_topic text NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    digest text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    key bytea,
    value bytea,
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.unreadable_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.unreadable_seq_seq OWNED BY public.unreadable.seq;
CREATE TABLE public.warning_steps (
    seq bigint NOT NULL,
    id text NOT NULL,
    "time" timestamp with time zone NOT NULL,
    type text NOT NULL,
    warning_id text NOT NULL,
    step integer NOT NULL,
    customer_id text NOT NULL,
    state text NOT NULL,
    tier text NOT NULL,
    data jsonb NOT NULL,
    digest text NOT NULL,
    source_topic text NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.warning_steps_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.warning_steps_seq_seq OWNED BY public.warning_steps.seq;
CREATE TABLE public.warnings (
    id text NOT NULL,
    customer_id text NOT NULL,
    state text NOT NULL,
    tier text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    last_step integer NOT NULL,
    last_type text NOT NULL,
    causes jsonb NOT NULL,
    reasons jsonb NOT NULL,
    churn_probability double precision,
    horizon_days integer,
    model_version text,
    value_at_risk double precision,
    decision text,
    play text,
    holdout boolean,
    rule_set text
);
ALTER TABLE ONLY public.lapwing_schema ALTER COLUMN version SET DEFAULT nextval('public.lapwing_schema_version_seq'::regclass);
ALTER TABLE ONLY public.unreadable ALTER COLUMN seq SET DEFAULT nextval('public.unreadable_seq_seq'::regclass);
ALTER TABLE ONLY public.warning_steps ALTER COLUMN seq SET DEFAULT nextval('public.warning_steps_seq_seq'::regclass);
INSERT INTO public.lapwing_schema VALUES (1, '2026-11-29 10:20:39.966863+00');
INSERT INTO public.unreadable VALUES (1, 'churn-warnings', 0, 5, '12e6891095a59f08f7dce961d5603ac9b05a574ebad7dd1743a3e81cc48b75fc', 'invalid', 'not a warning event: the value: Invalid JSON: expected value at line 1 column 1', '\x6331', '\x00ff', '2026-03-01 00:00:00+00');
INSERT INTO public.unreadable VALUES (2, 'churn-warnings', 0, 6, '71075c822e26c0b5bec35cd9e4ab35d344b3b7b7120d370af6d021807e98414a', 'empty', 'no value', '\x6331', NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (1, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 1, 'c0', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}], "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "churn_probability": 0.73}', 'b7076b58b4634136b07b831532b92bf2c633d97f4ad455afe46dee9b41c9e5ab', 'churn-warnings', 0, 0, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (2, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/2', '2011-03-15 07:06:40+00', 'churn.warning.updated', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 2, 'c0', 'open', 'medium', '{"play": null, "step": 2, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "a", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}, {"play": null, "rule": "b", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of b", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of b", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}], "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "churn_probability": 0.73}', 'f8967270dc8a8bc3057b82b589b46cbb16063953bc585b758d472fa93894a758', 'churn-warnings', 0, 1, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (3, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3', '2011-03-16 07:06:40+00', 'churn.warning.escalated', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 3, 'c0', 'open', 'high', '{"play": null, "step": 3, "tier": "high", "state": "open", "causes": [{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}, {"play": null, "rule": "c", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of c", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of c", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}], "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "churn_probability": 0.73}', '99d4d3289b763eeff75a8e36937061c878b16243378280c6d22496a7be6e1a99', 'churn-warnings', 0, 2, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (4, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/4', '2011-03-17 07:06:40+00', 'churn.warning.resolved', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 4, 'c0', 'resolved', 'high', '{"play": null, "step": 4, "tier": "high", "state": "resolved", "causes": [{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}], "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "churn_probability": 0.73}', '0cf6614ee1c2bdf35484c81f6f9d4703104a704019cc59bd158b3ced9d2267c7', 'churn-warnings', 0, 3, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (5, 'e8066063-9d65-5860-814c-ead0268031de/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', 'e8066063-9d65-5860-814c-ead0268031de', 1, 'c8', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}], "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "e8066063-9d65-5860-814c-ead0268031de", "customer_id": "c8", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "churn_probability": 0.73}', 'd3539c1928d000489ef1dea5aaf44e611dc61bdc1d74a8e397ebf4deb2d55b4f', 'churn-warnings', 0, 4, '2026-03-01 00:00:00+00');
INSERT INTO public.warnings VALUES ('35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 'c0', 'resolved', 'high', '2011-03-14 07:06:40+00', '2011-03-17 07:06:40+00', '2011-03-17 07:06:40+00', 4, 'churn.warning.resolved', '[{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}]', '[{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, 'unknown', NULL, false, 'abc');
INSERT INTO public.warnings VALUES ('e8066063-9d65-5860-814c-ead0268031de', 'c8', 'open', 'medium', '2011-03-14 07:06:40+00', '2011-03-14 07:06:40+00', NULL, 1, 'churn.warning.opened', '[{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z"}]', '[{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, 'unknown', NULL, false, 'abc');
SELECT pg_catalog.setval('public.lapwing_schema_version_seq', 1, false);
SELECT pg_catalog.setval('public.unreadable_seq_seq', 2, true);
SELECT pg_catalog.setval('public.warning_steps_seq_seq', 5, true);
ALTER TABLE ONLY public.lapwing_schema
    ADD CONSTRAINT lapwing_schema_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.unreadable
    ADD CONSTRAINT unreadable_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.unreadable
    ADD CONSTRAINT unreadable_source_topic_source_partition_source_offset_dige_key UNIQUE (source_topic, source_partition, source_offset, digest);
ALTER TABLE ONLY public.warning_steps
    ADD CONSTRAINT warning_steps_id_key UNIQUE (id);
ALTER TABLE ONLY public.warning_steps
    ADD CONSTRAINT warning_steps_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.warnings
    ADD CONSTRAINT warnings_pkey PRIMARY KEY (id);
CREATE INDEX warning_steps_by_customer ON public.warning_steps USING btree (customer_id);
CREATE INDEX warning_steps_by_warning ON public.warning_steps USING btree (warning_id, step);
CREATE INDEX warnings_by_customer ON public.warnings USING btree (customer_id);
CREATE INDEX warnings_by_state ON public.warnings USING btree (state, tier);
