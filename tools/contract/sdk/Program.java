package com.example.sdk;

import com.example.sdk.api.AgentsApi;
import com.example.sdk.api.KnowledgeApi;
import com.example.sdk.api.MessagesApi;
import com.example.sdk.auth.HttpBearerAuth;
import com.example.sdk.model.AgentList;
import com.example.sdk.model.DeletionReceipt;
import com.example.sdk.model.Document;
import com.example.sdk.model.ErrorResponse;
import com.example.sdk.model.MessageRequest;
import com.example.sdk.model.Reply;
import com.example.sdk.model.StreamEvent;
import com.example.sdk.model.UserInput;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Asks a server of the contract with the Java client generated from it: the server of
 * ANSWERDESK_URL, with the key of ANSWERDESK_KEY. sdks.sh puts it beside that client.
 */
public final class Program {
  private static final String TEXT = "The shop opens at nine in the morning from Monday to Saturday.";
  private static final String QUESTION = "When does the shop open?";

  public static void main(String[] args) throws Exception {
    ApiClient client = new ApiClient();
    client.setBasePath(System.getenv("ANSWERDESK_URL"));
    ((HttpBearerAuth) client.getAuthentication("bearer")).setBearerToken(System.getenv("ANSWERDESK_KEY"));
    KnowledgeApi knowledge = new KnowledgeApi(client);
    MessagesApi messages = new MessagesApi(client);

    AgentList agents = new AgentsApi(client).listAgents(5, null);
    check(!agents.getData().isEmpty(), agents);
    System.out.println("agents: " + agents.getData().size() + " " + agents.getData().get(0).getName());

    Path folder = Files.createTempDirectory("sdk");
    File file = folder.resolve("hours.txt").toFile();
    Files.writeString(file.toPath(), TEXT);
    Document document =
        knowledge
            .uploadFile(file, null, null, "sdk-java", "Opening hours", null, "{\"from\": \"java\"}")
            .getDocument();
    Files.delete(file.toPath());
    Files.delete(folder);
    check(document.getTitle().equals("Opening hours"), document);
    check("java".equals(document.getMetadata().get("from")), document);
    System.out.println("uploaded: " + document.getId() + " " + document.getKind());

    MessageRequest request =
        new MessageRequest()
            .message(QUESTION)
            .user(new UserInput().id("sdk-java"))
            .metadata(Map.of("from", "java"));
    Reply reply = messages.createMessage(request, null);
    checkReply(reply, document.getId());
    System.out.println("reply: " + reply.getOutcome() + " " + reply.getConfidence().getScore() + " " + reply.getText());

    String shown = "";
    StreamEvent last = null;
    int events = 0;
    MessageRequest asked = new MessageRequest().message(QUESTION);
    try (okhttp3.Response response = messages.streamMessageCall(asked, null, null).execute()) {
      check(response.code() == 200, response);
      for (String line; (line = response.body().source().readUtf8Line()) != null; ) {
        if (line.startsWith("data: ")) {
          last = StreamEvent.fromJson(line.substring(6));
          shown += last.getDelta() == null ? "" : last.getDelta();
          events++;
        }
      }
    }
    check(last != null && last.getType().equals("message.completed"), last);
    check(shown.equals(last.getReply().getText()), shown);
    checkReply(last.getReply(), document.getId());
    System.out.println("streamed: " + events + " events " + shown);

    DeletionReceipt receipt = knowledge.deleteDocument(document.getId());
    check(receipt.getId().equals(document.getId()) && receipt.getKind().equals("document"), receipt);
    System.out.println("deleted: " + receipt.getKind() + " " + receipt.getId());

    try {
      knowledge.deleteDocument(document.getId());
      check(false, "deleted twice");
    } catch (ApiException e) {
      ErrorResponse failure = ErrorResponse.fromJson(e.getResponseBody());
      check(e.getCode() == 404 && failure.getError().getCode().equals("not_found"), failure);
      System.out.println("again: " + e.getCode() + " " + failure.getError().getCode());
    }
  }

  private static void checkReply(Reply r, String document) {
    check(r.getOutcome().equals("answer"), r);
    check(r.getCitations().get(0).getDocumentId().equals(document), r);
    check(TEXT.contains(r.getCitations().get(0).getQuote()), r);
  }

  private static void check(boolean ok, Object what) {
    if (!ok) {
      throw new IllegalStateException(String.valueOf(what));
    }
  }
}
