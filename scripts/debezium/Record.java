import io.debezium.embedded.Connect;
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import java.io.FileInputStream;
import java.io.PrintStream;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Record PROPERTIES COUNT: run Debezium's engine until so many records have come, and print each as a line:
 * topic, value with its schema, value without, both as Kafka Connect's own converter writes them, in base64.
 */
public class Record {
    public static void main(String[] words) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        Properties properties = new Properties();
        properties.load(new FileInputStream(words[0]));
        CountDownLatch left = new CountDownLatch(Integer.parseInt(words[1]));
        JsonConverter with = new JsonConverter(), without = new JsonConverter();
        with.configure(Map.of("schemas.enable", "true"), false);
        without.configure(Map.of("schemas.enable", "false"), false);
        DebeziumEngine<ChangeEvent<SourceRecord, SourceRecord>> engine = DebeziumEngine.create(Connect.class)
            .using(properties)
            .using((success, message, error) -> {
                if (success) return;
                System.err.println("FAILED " + message + " " + error);
                System.exit(1);
            })
            .notifying(event -> {
                SourceRecord record = event.value();
                if (left.getCount() == 0) return;
                out.println(record.topic() + " " + text(with, record) + " " + text(without, record));
                out.flush();
                left.countDown();
            })
            .build();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        thread.execute(engine);
        left.await();
        engine.close();
        thread.shutdown();
        System.exit(0);
    }

    private static String text(JsonConverter converter, SourceRecord record) {
        byte[] value = converter.fromConnectData(record.topic(), record.valueSchema(), record.value());
        return value == null ? "-" : Base64.getEncoder().encodeToString(value);
    }
}
