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
CREATE TABLE public.channels (
    name text NOT NULL,
    filled_to bigint NOT NULL,
    added_at timestamp with time zone NOT NULL
);
CREATE TABLE public.judging (
    name text NOT NULL,
    judged_to bigint NOT NULL,
    event_time timestamp with time zone
);
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
CREATE TABLE public.notices (
    seq bigint NOT NULL,
    step_id text NOT NULL,
    warning_id text NOT NULL,
    step integer NOT NULL,
    customer_id text NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    tier text NOT NULL,
    rules jsonb NOT NULL,
    verdict text NOT NULL,
    why text,
    silence_id text,
    look_again_at timestamp with time zone,
    by_wall_clock boolean NOT NULL,
    note text,
    judged_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.notices_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.notices_seq_seq OWNED BY public.notices.seq;
CREATE TABLE public.outbox (
    seq bigint NOT NULL,
    step_id text NOT NULL,
    channel text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    claimed_by text,
    claimed_until timestamp with time zone,
    sent_at timestamp with time zone,
    last_error text
);
CREATE SEQUENCE public.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.outbox_seq_seq OWNED BY public.outbox.seq;
CREATE TABLE public.silences (
    id text NOT NULL,
    revision integer NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    expired_at timestamp with time zone,
    content jsonb NOT NULL,
    received_at timestamp with time zone NOT NULL
);
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
    rule_set text,
    attention text,
    attended_by text,
    attended_until timestamp with time zone,
    deadline timestamp with time zone
);
ALTER TABLE ONLY public.lapwing_schema ALTER COLUMN version SET DEFAULT nextval('public.lapwing_schema_version_seq'::regclass);
ALTER TABLE ONLY public.notices ALTER COLUMN seq SET DEFAULT nextval('public.notices_seq_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN seq SET DEFAULT nextval('public.outbox_seq_seq'::regclass);
ALTER TABLE ONLY public.unreadable ALTER COLUMN seq SET DEFAULT nextval('public.unreadable_seq_seq'::regclass);
ALTER TABLE ONLY public.warning_steps ALTER COLUMN seq SET DEFAULT nextval('public.warning_steps_seq_seq'::regclass);
INSERT INTO public.channels VALUES ('desk', 6, '2026-03-01 00:00:00+00');
INSERT INTO public.channels VALUES ('slow', 6, '2026-03-01 00:00:00+00');
INSERT INTO public.judging VALUES ('notices', 10, '2011-03-18 07:06:40+00');
INSERT INTO public.lapwing_schema VALUES (1, '2026-11-29 10:20:59.760025+00');
INSERT INTO public.lapwing_schema VALUES (2, '2026-11-29 10:20:59.76334+00');
INSERT INTO public.lapwing_schema VALUES (3, '2026-11-29 10:20:59.779812+00');
INSERT INTO public.lapwing_schema VALUES (4, '2026-11-29 10:20:59.797874+00');
INSERT INTO public.notices VALUES (1, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 1, 'c0', 'opened', '2011-03-14 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (2, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 3, 'c0', 'escalated', '2011-03-16 07:06:40+00', 'high', '["a", "c"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (3, 'f94e87d1-089a-5850-8198-27f2cd334938/1', 'f94e87d1-089a-5850-8198-27f2cd334938', 1, 'c7', 'opened', '2011-03-14 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (4, 'f94e87d1-089a-5850-8198-27f2cd334938/3', 'f94e87d1-089a-5850-8198-27f2cd334938', 3, 'c7', 'lapsed', '2011-03-16 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (5, 'f94e87d1-089a-5850-8198-27f2cd334938/5', 'f94e87d1-089a-5850-8198-27f2cd334938', 5, 'c7', 'escalated', '2011-03-18 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (6, 'e8066063-9d65-5860-814c-ead0268031de/1', 'e8066063-9d65-5860-814c-ead0268031de', 1, 'c8', 'opened', '2011-03-14 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.outbox VALUES (4, 'f94e87d1-089a-5850-8198-27f2cd334938/3', 'desk', 'pending', 0, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (5, 'f94e87d1-089a-5850-8198-27f2cd334938/5', 'desk', 'pending', 0, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (6, 'e8066063-9d65-5860-814c-ead0268031de/1', 'desk', 'pending', 0, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (1, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1', 'desk', 'sent', 1, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, '2026-03-01 00:00:00+00', NULL);
INSERT INTO public.outbox VALUES (2, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3', 'desk', 'given_up', 1, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, 'refused');
INSERT INTO public.outbox VALUES (3, 'f94e87d1-089a-5850-8198-27f2cd334938/1', 'desk', 'pending', 1, '2026-03-01 00:00:00+00', '2026-03-01 01:00:00+00', NULL, NULL, NULL, 'away');
INSERT INTO public.silences VALUES ('s', 1, 'me', 'why', '2000-01-01 00:00:00+00', '2026-03-10 00:00:00+00', NULL, '{"id": "s", "author": "me", "reason": "why", "ends_at": "2026-03-10T00:00:00Z", "matchers": {"rules": [], "tiers": [], "reasons": [], "regions": [], "segments": [], "customers": ["c1"], "everything": false, "customer_classes": []}, "revision": 1, "recurring": null, "starts_at": "2000-01-01T00:00:00Z", "created_at": "2000-01-01T00:00:00Z", "expired_at": null, "expired_by": null}', '2026-03-02 12:00:00+00');
INSERT INTO public.unreadable VALUES (1, 'churn-warnings', 0, 10, '12e6891095a59f08f7dce961d5603ac9b05a574ebad7dd1743a3e81cc48b75fc', 'invalid', 'not a warning event: the value: Invalid JSON: expected value at line 1 column 1', '\x6331', '\x00ff', '2026-03-01 00:00:00+00');
INSERT INTO public.unreadable VALUES (2, 'churn-warnings', 0, 11, '71075c822e26c0b5bec35cd9e4ab35d344b3b7b7120d370af6d021807e98414a', 'empty', 'no value', '\x6331', NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (1, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 1, 'c0', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'e8625ff066be11547293efa66ff3a2af8da33ff12c972ec850991981717ee37a', 'churn-warnings', 0, 0, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (2, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/2', '2011-03-15 07:06:40+00', 'churn.warning.updated', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 2, 'c0', 'open', 'medium', '{"play": null, "step": 2, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "a", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}, {"play": null, "rule": "b", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of b", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of b", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'a2df02997ec8d142df22f438fe57066b71aa40c32abf8e390152dc7097aa0070', 'churn-warnings', 0, 1, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (3, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3', '2011-03-16 07:06:40+00', 'churn.warning.escalated', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 3, 'c0', 'open', 'high', '{"play": null, "step": 3, "tier": "high", "state": "open", "causes": [{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}, {"play": null, "rule": "c", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of c", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of c", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'dd2757f22114bb0fe4142026875835d70e87bebeb7e6e35c45be3a7fd5ef0b79', 'churn-warnings', 0, 2, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (4, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/4', '2011-03-17 07:06:40+00', 'churn.warning.resolved', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 4, 'c0', 'resolved', 'high', '{"play": null, "step": 4, "tier": "high", "state": "resolved", "causes": [{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '730dc2bc32d9e72c24ef87a982f99a01ee017d3dc28bf34d320bc22e9474033d', 'churn-warnings', 0, 3, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (5, 'f94e87d1-089a-5850-8198-27f2cd334938/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', 'f94e87d1-089a-5850-8198-27f2cd334938', 1, 'c7', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '42f076091328197f1e175fb001e9497a87528fb67b0fe1576c79f356a0fb3028', 'churn-warnings', 0, 4, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (6, 'f94e87d1-089a-5850-8198-27f2cd334938/2', '2011-03-15 07:06:40+00', 'churn.warning.acknowledged', 'f94e87d1-089a-5850-8198-27f2cd334938', 2, 'c7', 'open', 'medium', '{"play": null, "step": 2, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": {"by": "ann", "step": 2, "level": 0, "since": "2011-03-15T07:06:40Z", "state": "acknowledged", "until": "2011-03-16T07:06:40Z", "deadline": null}, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'c649ebf714b82e06cd5ce43b497fbbe74b150a00a3bffe70cfa3f1862585eb85', 'churn-warnings', 0, 5, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (7, 'f94e87d1-089a-5850-8198-27f2cd334938/3', '2011-03-16 07:06:40+00', 'churn.warning.updated', 'f94e87d1-089a-5850-8198-27f2cd334938', 3, 'c7', 'open', 'medium', '{"play": null, "step": 3, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": {"by": "ann", "step": 3, "level": 0, "since": "2011-03-16T07:06:40Z", "state": "lapsed", "until": null, "deadline": "2011-03-18T07:06:40Z"}, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '8afcc122f0e0bb56529071e2db2a89b9e7981b9e2ec42dded12597466f00625e', 'churn-warnings', 0, 6, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (8, 'f94e87d1-089a-5850-8198-27f2cd334938/4', '2011-03-17 07:06:40+00', 'churn.warning.updated', 'f94e87d1-089a-5850-8198-27f2cd334938', 4, 'c7', 'open', 'medium', '{"play": null, "step": 4, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "a", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}, {"play": null, "rule": "b", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of b", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of b", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": {"by": "ann", "step": 3, "level": 0, "since": "2011-03-16T07:06:40Z", "state": "lapsed", "until": null, "deadline": "2011-03-18T07:06:40Z"}, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'ac92e607ca80ea695380de9b5a0237f618534ae6281d2cb28d9505d10f34ea3c', 'churn-warnings', 0, 7, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (9, 'f94e87d1-089a-5850-8198-27f2cd334938/5', '2011-03-18 07:06:40+00', 'churn.warning.escalated', 'f94e87d1-089a-5850-8198-27f2cd334938', 5, 'c7', 'open', 'medium', '{"play": null, "step": 5, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": {"by": "ann", "step": 5, "level": 1, "since": "2011-03-18T07:06:40Z", "state": "overdue", "until": null, "deadline": null}, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '6ce9fcd672b092f52b919a32b9045705ac7f70d21c6d314400b6476b82925207', 'churn-warnings', 0, 8, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (10, 'e8066063-9d65-5860-814c-ead0268031de/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', 'e8066063-9d65-5860-814c-ead0268031de', 1, 'c8', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": "unknown", "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "e8066063-9d65-5860-814c-ead0268031de", "customer_id": "c8", "horizon_days": 90, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '870dc47f7b4fb218a5fd2913cb9274959518aa9e2b274cb0561c1d17f023d207', 'churn-warnings', 0, 9, '2026-03-01 00:00:00+00');
INSERT INTO public.warnings VALUES ('35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 'c0', 'resolved', 'high', '2011-03-14 07:06:40+00', '2011-03-17 07:06:40+00', '2011-03-17 07:06:40+00', 4, 'churn.warning.resolved', '[{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', '[{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, 'unknown', NULL, false, 'abc', NULL, NULL, NULL, NULL);
INSERT INTO public.warnings VALUES ('f94e87d1-089a-5850-8198-27f2cd334938', 'c7', 'open', 'medium', '2011-03-14 07:06:40+00', '2011-03-18 07:06:40+00', NULL, 5, 'churn.warning.escalated', '[{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', '[{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, 'unknown', NULL, false, 'abc', 'overdue', 'ann', NULL, NULL);
INSERT INTO public.warnings VALUES ('e8066063-9d65-5860-814c-ead0268031de', 'c8', 'open', 'medium', '2011-03-14 07:06:40+00', '2011-03-14 07:06:40+00', NULL, 1, 'churn.warning.opened', '[{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', '[{"value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, 'unknown', NULL, false, 'abc', NULL, NULL, NULL, NULL);
SELECT pg_catalog.setval('public.lapwing_schema_version_seq', 1, false);
SELECT pg_catalog.setval('public.notices_seq_seq', 6, true);
SELECT pg_catalog.setval('public.outbox_seq_seq', 6, true);
SELECT pg_catalog.setval('public.unreadable_seq_seq', 2, true);
SELECT pg_catalog.setval('public.warning_steps_seq_seq', 10, true);
ALTER TABLE ONLY public.channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.judging
    ADD CONSTRAINT judging_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.lapwing_schema
    ADD CONSTRAINT lapwing_schema_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_step_id_channel_key UNIQUE (step_id, channel);
ALTER TABLE ONLY public.silences
    ADD CONSTRAINT silences_pkey PRIMARY KEY (id);
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
CREATE INDEX notices_by_customer ON public.notices USING btree (customer_id, at);
CREATE INDEX notices_by_step ON public.notices USING btree (step_id);
CREATE INDEX notices_by_verdict ON public.notices USING btree (verdict, look_again_at);
CREATE INDEX outbox_by_due ON public.outbox USING btree (channel, state, due_at);
CREATE INDEX warning_steps_by_customer ON public.warning_steps USING btree (customer_id);
CREATE INDEX warning_steps_by_warning ON public.warning_steps USING btree (warning_id, step);
CREATE INDEX warnings_by_customer ON public.warnings USING btree (customer_id);
CREATE INDEX warnings_by_state ON public.warnings USING btree (state, tier);
ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_step_id_fkey FOREIGN KEY (step_id) REFERENCES public.warning_steps(id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_channel_fkey FOREIGN KEY (channel) REFERENCES public.channels(name);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_step_id_fkey FOREIGN KEY (step_id) REFERENCES public.warning_steps(id);
