import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/**
 * Starts the test server on a free port of the loopback address, prints its
 * connection string on one line, and ends when its standard input does.
 */
public class Launcher {
  /** What the Go driver asks for at least; the commands it uses are the same. */
  record Version(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {}

  public static void main(String[] args) throws Exception {
    var backend = new MemoryBackend().version(new Version(List.of(4, 4, 0), 9));
    backend.enableOplog(); // change streams
    var server = new MongoServer(backend);
    server.bind("127.0.0.1", 0);
    System.out.println("mongodb:/" + server.getLocalAddress());
    System.in.transferTo(java.io.OutputStream.nullOutputStream());
    server.shutdownNow();
  }
}
