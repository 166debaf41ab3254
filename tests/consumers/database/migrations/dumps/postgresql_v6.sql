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
CREATE TABLE public.segment_warning_steps (
    seq bigint NOT NULL,
    id text NOT NULL,
    "time" timestamp with time zone NOT NULL,
    type text NOT NULL,
    warning_id text NOT NULL,
    step integer NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL,
    state text NOT NULL,
    tier text NOT NULL,
    data jsonb NOT NULL,
    digest text NOT NULL,
    source_topic text NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    received_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.segment_warning_steps_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.segment_warning_steps_seq_seq OWNED BY public.segment_warning_steps.seq;
CREATE TABLE public.segment_warnings (
    id text NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL,
    state text NOT NULL,
    tier text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    last_step integer NOT NULL,
    last_type text NOT NULL,
    causes jsonb NOT NULL,
    rule_set text NOT NULL
);
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
    deadline timestamp with time zone,
    net double precision
);
ALTER TABLE ONLY public.lapwing_schema ALTER COLUMN version SET DEFAULT nextval('public.lapwing_schema_version_seq'::regclass);
ALTER TABLE ONLY public.notices ALTER COLUMN seq SET DEFAULT nextval('public.notices_seq_seq'::regclass);
ALTER TABLE ONLY public.outbox ALTER COLUMN seq SET DEFAULT nextval('public.outbox_seq_seq'::regclass);
ALTER TABLE ONLY public.segment_warning_steps ALTER COLUMN seq SET DEFAULT nextval('public.segment_warning_steps_seq_seq'::regclass);
ALTER TABLE ONLY public.unreadable ALTER COLUMN seq SET DEFAULT nextval('public.unreadable_seq_seq'::regclass);
ALTER TABLE ONLY public.warning_steps ALTER COLUMN seq SET DEFAULT nextval('public.warning_steps_seq_seq'::regclass);
INSERT INTO public.channels VALUES ('desk', 8, '2026-03-01 00:00:00+00');
INSERT INTO public.channels VALUES ('slow', 8, '2026-03-01 00:00:00+00');
INSERT INTO public.judging VALUES ('notices', 12, '2011-03-18 07:06:40+00');
INSERT INTO public.lapwing_schema VALUES (1, '2026-11-29 10:21:11.410922+00');
INSERT INTO public.lapwing_schema VALUES (2, '2026-11-29 10:21:11.414336+00');
INSERT INTO public.lapwing_schema VALUES (3, '2026-11-29 10:21:11.417672+00');
INSERT INTO public.lapwing_schema VALUES (4, '2026-11-29 10:21:11.429618+00');
INSERT INTO public.lapwing_schema VALUES (5, '2026-11-29 10:21:11.436361+00');
INSERT INTO public.lapwing_schema VALUES (6, '2026-11-29 10:21:11.442201+00');
INSERT INTO public.notices VALUES (1, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 1, 'c0', 'opened', '2011-03-14 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (2, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 3, 'c0', 'escalated', '2011-03-16 07:06:40+00', 'high', '["a", "c"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (3, 'f94e87d1-089a-5850-8198-27f2cd334938/1', 'f94e87d1-089a-5850-8198-27f2cd334938', 1, 'c7', 'opened', '2011-03-14 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (4, 'f94e87d1-089a-5850-8198-27f2cd334938/3', 'f94e87d1-089a-5850-8198-27f2cd334938', 3, 'c7', 'lapsed', '2011-03-16 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (5, 'f94e87d1-089a-5850-8198-27f2cd334938/5', 'f94e87d1-089a-5850-8198-27f2cd334938', 5, 'c7', 'overdue', '2011-03-18 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (6, 'e8066063-9d65-5860-814c-ead0268031de/1', 'e8066063-9d65-5860-814c-ead0268031de', 1, 'c8', 'opened', '2011-03-14 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (7, 'fd2faae4-0c6a-5ec9-989a-76faee896712/1', 'fd2faae4-0c6a-5ec9-989a-76faee896712', 1, 'd1', 'opened', '2011-03-14 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.notices VALUES (8, 'a792b5a2-5c7a-532e-8d96-aec1b0816263/1', 'a792b5a2-5c7a-532e-8d96-aec1b0816263', 1, 'd2', 'opened', '2011-03-14 07:06:40+00', 'medium', '["order-collapse"]', 'told', NULL, NULL, NULL, false, NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.outbox VALUES (4, 'f94e87d1-089a-5850-8198-27f2cd334938/3', 'desk', 'pending', 0, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (5, 'f94e87d1-089a-5850-8198-27f2cd334938/5', 'desk', 'pending', 0, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (6, 'e8066063-9d65-5860-814c-ead0268031de/1', 'desk', 'pending', 0, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (7, 'fd2faae4-0c6a-5ec9-989a-76faee896712/1', 'desk', 'pending', 0, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (8, 'a792b5a2-5c7a-532e-8d96-aec1b0816263/1', 'desk', 'pending', 0, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, NULL);
INSERT INTO public.outbox VALUES (1, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1', 'desk', 'sent', 1, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, '2026-03-01 00:00:00+00', NULL);
INSERT INTO public.outbox VALUES (2, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3', 'desk', 'given_up', 1, '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', NULL, NULL, NULL, 'refused');
INSERT INTO public.outbox VALUES (3, 'f94e87d1-089a-5850-8198-27f2cd334938/1', 'desk', 'pending', 1, '2026-03-01 00:00:00+00', '2026-03-01 01:00:00+00', NULL, NULL, NULL, 'away');
INSERT INTO public.segment_warning_steps VALUES (1, '3410e5bb-c210-568e-8270-ce45f40fdeb1/1', '2011-03-14 07:06:40+00', 'churn.segment.opened', '3410e5bb-c210-568e-8270-ce45f40fdeb1', 1, 'region', 'north', 'open', 'medium', '{"step": 1, "tier": "medium", "state": "open", "value": "north", "causes": [{"play": "Ask the depot", "rule": "complaints-up", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of complaints-up", "reason": "complaints", "values": {"complaints_7d": 12, "complaint_rise": 2.5}, "message": "message of complaints-up", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "rule_set": "abc", "dimension": "region", "opened_at": "2011-03-14T07:06:40Z", "warning_id": "3410e5bb-c210-568e-8270-ce45f40fdeb1"}', '4e9c851d49ef1e9a0cef7d4d4861004224b359858bcc0f5da37fe61bc0b07c33', 'segment-warnings', 0, 0, '2026-03-01 00:00:00+00');
INSERT INTO public.segment_warning_steps VALUES (2, '3410e5bb-c210-568e-8270-ce45f40fdeb1/2', '2011-03-15 07:06:40+00', 'churn.segment.updated', '3410e5bb-c210-568e-8270-ce45f40fdeb1', 2, 'region', 'north', 'open', 'medium', '{"step": 2, "tier": "medium", "state": "open", "value": "north", "causes": [{"play": "Ask the depot", "rule": "a", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "complaints", "values": {"complaints_7d": 12, "complaint_rise": 2.5}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}, {"play": "Ask the depot", "rule": "b", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of b", "reason": "complaints", "values": {"complaints_7d": 12, "complaint_rise": 2.5}, "message": "message of b", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "rule_set": "abc", "dimension": "region", "opened_at": "2011-03-14T07:06:40Z", "warning_id": "3410e5bb-c210-568e-8270-ce45f40fdeb1"}', '2ad71bd18d2ffea93bfa8c287d6bd40df6f912545fe5475c0ab5f500a442dc23', 'segment-warnings', 0, 1, '2026-03-01 00:00:00+00');
INSERT INTO public.segment_warning_steps VALUES (3, '3410e5bb-c210-568e-8270-ce45f40fdeb1/3', '2011-03-16 07:06:40+00', 'churn.segment.escalated', '3410e5bb-c210-568e-8270-ce45f40fdeb1', 3, 'region', 'north', 'open', 'high', '{"step": 3, "tier": "high", "state": "open", "value": "north", "causes": [{"play": "Ask the depot", "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "complaints", "values": {"complaints_7d": 12, "complaint_rise": 2.5}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}, {"play": "Ask the depot", "rule": "c", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of c", "reason": "complaints", "values": {"complaints_7d": 12, "complaint_rise": 2.5}, "message": "message of c", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "rule_set": "abc", "dimension": "region", "opened_at": "2011-03-14T07:06:40Z", "warning_id": "3410e5bb-c210-568e-8270-ce45f40fdeb1"}', 'f5a2d99eddb7d767b3cbfda32dbd725c46c143d5e03d74a93427227a73a159d4', 'segment-warnings', 0, 2, '2026-03-01 00:00:00+00');
INSERT INTO public.segment_warning_steps VALUES (4, '3410e5bb-c210-568e-8270-ce45f40fdeb1/4', '2011-03-17 07:06:40+00', 'churn.segment.resolved', '3410e5bb-c210-568e-8270-ce45f40fdeb1', 4, 'region', 'north', 'resolved', 'high', '{"step": 4, "tier": "high", "state": "resolved", "value": "north", "causes": [{"play": "Ask the depot", "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "complaints", "values": {"complaints_7d": 12, "complaint_rise": 2.5}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "rule_set": "abc", "dimension": "region", "opened_at": "2011-03-14T07:06:40Z", "warning_id": "3410e5bb-c210-568e-8270-ce45f40fdeb1"}', 'a322e69ba094a0a47b442b977b463bd4a75ea930b948e8bc634c8071b3429e39', 'segment-warnings', 0, 3, '2026-03-01 00:00:00+00');
INSERT INTO public.segment_warnings VALUES ('3410e5bb-c210-568e-8270-ce45f40fdeb1', 'region', 'north', 'resolved', 'high', '2011-03-14 07:06:40+00', '2011-03-17 07:06:40+00', '2011-03-17 07:06:40+00', 4, 'churn.segment.resolved', '[{"play": "Ask the depot", "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "complaints", "values": {"complaints_7d": 12, "complaint_rise": 2.5}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', 'abc');
INSERT INTO public.silences VALUES ('s', 1, 'me', 'why', '2000-01-01 00:00:00+00', '2026-03-10 00:00:00+00', NULL, '{"id": "s", "author": "me", "reason": "why", "ends_at": "2026-03-10T00:00:00Z", "matchers": {"rules": [], "tiers": [], "reasons": [], "regions": [], "segments": [], "customers": ["c1"], "everything": false, "account_owners": [], "customer_classes": []}, "revision": 1, "recurring": null, "starts_at": "2000-01-01T00:00:00Z", "created_at": "2000-01-01T00:00:00Z", "expired_at": null, "expired_by": null}', '2026-03-02 12:00:00+00');
INSERT INTO public.unreadable VALUES (1, 'churn-warnings', 0, 10, '12e6891095a59f08f7dce961d5603ac9b05a574ebad7dd1743a3e81cc48b75fc', 'invalid', 'not a warning event: Invalid JSON: expected value at line 1 column 1', '\x6331', '\x00ff', '2026-03-01 00:00:00+00');
INSERT INTO public.unreadable VALUES (2, 'churn-warnings', 0, 11, '71075c822e26c0b5bec35cd9e4ab35d344b3b7b7120d370af6d021807e98414a', 'empty', 'no value', '\x6331', NULL, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (1, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 1, 'c0', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'e0793abdc012fab45669c9d4d5112de5261980fea6c3ed02b92f440d5ab3ccbd', 'churn-warnings', 0, 0, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (2, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/2', '2011-03-15 07:06:40+00', 'churn.warning.updated', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 2, 'c0', 'open', 'medium', '{"play": null, "step": 2, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "a", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}, {"play": null, "rule": "b", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of b", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of b", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '43bff4c410b6febe061977ee31addc427424cbf3627a0d76a064f6b9b5cb35fc', 'churn-warnings', 0, 1, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (3, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/3', '2011-03-16 07:06:40+00', 'churn.warning.escalated', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 3, 'c0', 'open', 'high', '{"play": null, "step": 3, "tier": "high", "state": "open", "causes": [{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}, {"play": null, "rule": "c", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of c", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of c", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '083d97eabcbfc925935319138bea577b2af2bc9909a6cce67a8a19c350b244fe', 'churn-warnings', 0, 2, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (4, '35c11a3f-c12b-588c-88cb-dc3c6b3df67c/4', '2011-03-17 07:06:40+00', 'churn.warning.resolved', '35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 4, 'c0', 'resolved', 'high', '{"play": null, "step": 4, "tier": "high", "state": "resolved", "causes": [{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "35c11a3f-c12b-588c-88cb-dc3c6b3df67c", "customer_id": "c0", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '55f93009ea53fe451342af363466bc71d81143d9601d4e576d9c05cd6e6e5111', 'churn-warnings', 0, 3, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (5, 'f94e87d1-089a-5850-8198-27f2cd334938/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', 'f94e87d1-089a-5850-8198-27f2cd334938', 1, 'c7', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'ea559d3da4c982f972fb584cdcde09a0c32c1bc6634f9e1acd8e556dc9521bc7', 'churn-warnings', 0, 4, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (6, 'f94e87d1-089a-5850-8198-27f2cd334938/2', '2011-03-15 07:06:40+00', 'churn.warning.acknowledged', 'f94e87d1-089a-5850-8198-27f2cd334938', 2, 'c7', 'open', 'medium', '{"play": null, "step": 2, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": {"by": "ann", "step": 2, "level": 0, "since": "2011-03-15T07:06:40Z", "state": "acknowledged", "until": "2011-03-16T07:06:40Z", "deadline": null}, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '0fe51ae21db0e3c4ef44186416c8200a6c79349c1207a07f74373837eac62503', 'churn-warnings', 0, 5, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (7, 'f94e87d1-089a-5850-8198-27f2cd334938/3', '2011-03-16 07:06:40+00', 'churn.warning.updated', 'f94e87d1-089a-5850-8198-27f2cd334938', 3, 'c7', 'open', 'medium', '{"play": null, "step": 3, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": {"by": "ann", "step": 3, "level": 0, "since": "2011-03-16T07:06:40Z", "state": "lapsed", "until": null, "deadline": "2011-03-18T07:06:40Z"}, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '8c70e048fc287495a201ca80efba4526b7877e778eddd411e3b224880ea4d6a1', 'churn-warnings', 0, 6, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (8, 'f94e87d1-089a-5850-8198-27f2cd334938/4', '2011-03-17 07:06:40+00', 'churn.warning.updated', 'f94e87d1-089a-5850-8198-27f2cd334938', 4, 'c7', 'open', 'medium', '{"play": null, "step": 4, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "a", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}, {"play": null, "rule": "b", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of b", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of b", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": {"by": "ann", "step": 3, "level": 0, "since": "2011-03-16T07:06:40Z", "state": "lapsed", "until": null, "deadline": "2011-03-18T07:06:40Z"}, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'ee0537783930322ab8148ff21c3cbb7cbacdf27df76a6ee3c2692d50e95ac4db', 'churn-warnings', 0, 7, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (9, 'f94e87d1-089a-5850-8198-27f2cd334938/5', '2011-03-18 07:06:40+00', 'churn.warning.escalated', 'f94e87d1-089a-5850-8198-27f2cd334938', 5, 'c7', 'open', 'medium', '{"play": null, "step": 5, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": {"by": "ann", "step": 5, "level": 1, "since": "2011-03-18T07:06:40Z", "state": "overdue", "until": null, "deadline": null}, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "f94e87d1-089a-5850-8198-27f2cd334938", "customer_id": "c7", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '808015653b9b566a1ade4fa5b443c8d5614ca4d6ab78baf365dce93fdeca25b9', 'churn-warnings', 0, 8, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (10, 'e8066063-9d65-5860-814c-ead0268031de/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', 'e8066063-9d65-5860-814c-ead0268031de', 1, 'c8', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": null, "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "e8066063-9d65-5860-814c-ead0268031de", "customer_id": "c8", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '277957937884b37467dbdccd08b789f35a5bd56f1cad58a9369be86c390c0035', 'churn-warnings', 0, 9, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (11, 'fd2faae4-0c6a-5ec9-989a-76faee896712/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', 'fd2faae4-0c6a-5ec9-989a-76faee896712', 1, 'd1', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": {"net": 157.5, "why": "worth", "cost": {"labour": 20.0}, "gain": 177.5, "play": "care-call", "value": 1000.0, "missing": [], "success": 0.25, "verdict": "rescue", "break_even": 0.028169014084507043, "probability": 0.71, "success_source": "prior"}, "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "fd2faae4-0c6a-5ec9-989a-76faee896712", "customer_id": "d1", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', '16644b31a8d7e0d5701565775d8f08d53684b99f0181db89092bcf555d21e795', 'churn-warnings', 0, 12, '2026-03-01 00:00:00+00');
INSERT INTO public.warning_steps VALUES (12, 'a792b5a2-5c7a-532e-8d96-aec1b0816263/1', '2011-03-14 07:06:40+00', 'churn.warning.opened', 'a792b5a2-5c7a-532e-8d96-aec1b0816263', 1, 'd2', 'open', 'medium', '{"play": null, "step": 1, "tier": "medium", "state": "open", "causes": [{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}], "region": null, "holdout": false, "reasons": [{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}], "segment": null, "decision": {"net": null, "why": "worth", "cost": {"labour": 20.0}, "gain": 177.5, "play": "care-call", "value": 1000.0, "missing": [], "success": 0.25, "verdict": "rescue", "break_even": 0.028169014084507043, "probability": 0.71, "success_source": "prior"}, "rule_set": "abc", "attention": null, "opened_at": "2011-03-14T07:06:40Z", "warning_id": "a792b5a2-5c7a-532e-8d96-aec1b0816263", "customer_id": "d2", "horizon_days": 90, "account_owner": null, "model_version": "m1", "value_at_risk": null, "customer_class": null, "churn_probability": 0.73}', 'ffe48ed4d8fb64f908985aa28cb358a65db1d437421ad9dc8c2711c8b336aeb3', 'churn-warnings', 0, 13, '2026-03-01 00:00:00+00');
INSERT INTO public.warnings VALUES ('35c11a3f-c12b-588c-88cb-dc3c6b3df67c', 'c0', 'resolved', 'high', '2011-03-14 07:06:40+00', '2011-03-17 07:06:40+00', '2011-03-17 07:06:40+00', 4, 'churn.warning.resolved', '[{"play": null, "rule": "a", "tier": "high", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of a", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of a", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', '[{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, NULL, NULL, false, 'abc', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.warnings VALUES ('f94e87d1-089a-5850-8198-27f2cd334938', 'c7', 'open', 'medium', '2011-03-14 07:06:40+00', '2011-03-18 07:06:40+00', NULL, 5, 'churn.warning.escalated', '[{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', '[{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, NULL, NULL, false, 'abc', 'overdue', 'ann', NULL, NULL, NULL);
INSERT INTO public.warnings VALUES ('e8066063-9d65-5860-814c-ead0268031de', 'c8', 'open', 'medium', '2011-03-14 07:06:40+00', '2011-03-14 07:06:40+00', NULL, 1, 'churn.warning.opened', '[{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', '[{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, NULL, NULL, false, 'abc', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.warnings VALUES ('fd2faae4-0c6a-5ec9-989a-76faee896712', 'd1', 'open', 'medium', '2011-03-14 07:06:40+00', '2011-03-14 07:06:40+00', NULL, 1, 'churn.warning.opened', '[{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', '[{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, 'rescue', NULL, false, 'abc', NULL, NULL, NULL, NULL, 157.5);
INSERT INTO public.warnings VALUES ('a792b5a2-5c7a-532e-8d96-aec1b0816263', 'd2', 'open', 'medium', '2011-03-14 07:06:40+00', '2011-03-14 07:06:40+00', NULL, 1, 'churn.warning.opened', '[{"play": null, "rule": "order-collapse", "tier": "medium", "owner": null, "since": "2011-03-13T07:06:40Z", "title": "Title of order-collapse", "reason": "activity_decline", "values": {"segment": null, "orders_30d": 1, "order_trend": 0.25}, "message": "message of order-collapse", "version": "1f3a5b7c9d0e", "opened_at": "2011-03-14T07:06:40Z", "inhibited_by": null}]', '[{"text": "", "group": "", "value": 0.25, "feature": "order_trend", "contribution": 0.8}, {"text": "", "group": "", "value": null, "feature": "logins_30d", "contribution": -0.1}]', 0.73, 90, 'm1', NULL, 'rescue', NULL, false, 'abc', NULL, NULL, NULL, NULL, NULL);
SELECT pg_catalog.setval('public.lapwing_schema_version_seq', 1, false);
SELECT pg_catalog.setval('public.notices_seq_seq', 8, true);
SELECT pg_catalog.setval('public.outbox_seq_seq', 8, true);
SELECT pg_catalog.setval('public.segment_warning_steps_seq_seq', 4, true);
SELECT pg_catalog.setval('public.unreadable_seq_seq', 2, true);
SELECT pg_catalog.setval('public.warning_steps_seq_seq', 12, true);
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
ALTER TABLE ONLY public.segment_warning_steps
    ADD CONSTRAINT segment_warning_steps_id_key UNIQUE (id);
ALTER TABLE ONLY public.segment_warning_steps
    ADD CONSTRAINT segment_warning_steps_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.segment_warnings
    ADD CONSTRAINT segment_warnings_pkey PRIMARY KEY (id);
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
CREATE INDEX segment_warning_steps_by_warning ON public.segment_warning_steps USING btree (warning_id, step);
CREATE INDEX segment_warnings_by_segment ON public.segment_warnings USING btree (dimension, value);
CREATE INDEX segment_warnings_by_state ON public.segment_warnings USING btree (state, tier);
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
